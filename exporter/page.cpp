#include "exporter/page.hpp"

#include <libdeflate.h>

#include <new>

namespace exporter {
namespace {

using Compressor = std::unique_ptr<libdeflate_compressor, void (*)(libdeflate_compressor*)>;

Compressor make_compressor() {
  constexpr int kFastest = 1;  // a level up costs twice the time for a tenth of the size
  Compressor compressor(libdeflate_alloc_compressor(kFastest), libdeflate_free_compressor);
  if (compressor == nullptr) throw std::bad_alloc();
  return compressor;
}

}  // namespace

void Page::compress() {
  constexpr std::size_t kWorthwhileBytes = 1024;
  const auto body = text.text();
  if (!is_gzip_wanted || body.size() < kWorthwhileBytes) return;
  thread_local const auto compressor = make_compressor();
  gzip.resize(libdeflate_gzip_compress_bound(compressor.get(), body.size()));
  gzip.resize(libdeflate_gzip_compress(compressor.get(), body.data(), body.size(), gzip.data(),
                                       gzip.size()));
}

std::shared_ptr<Page> PagePool::take() {
  constexpr std::size_t kKeptPages = 4;
  std::unique_ptr<Page> page;
  {
    const std::lock_guard lock(shelf_->mutex);
    if (!shelf_->pages.empty()) {
      page = std::move(shelf_->pages.back());
      shelf_->pages.pop_back();
    }
  }
  if (page == nullptr) page = std::make_unique<Page>();
  page->gzip.clear();
  const auto put_back = [shelf = shelf_](Page* used) {
    std::unique_ptr<Page> owned(used);
    const std::lock_guard lock(shelf->mutex);
    if (shelf->pages.size() < kKeptPages) shelf->pages.push_back(std::move(owned));
  };
  return {page.release(), put_back};
}

}  // namespace exporter
