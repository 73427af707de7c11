#include "exporter/page.hpp"

#include <libdeflate.h>

#include <catch2/catch.hpp>

using exporter::Page;

namespace {

void fill(Page& page, int samples) {
  page.text.restart(metrics::TextFormat::prometheus_0_0_4);
  metrics::Sink& sink = page.text;
  sink.family({"filled", "For a test."});
  for (int i = 0; i < samples; ++i) sink.sample({{"i", std::to_string(i)}}, i);
}

std::string gunzip(const std::string& data) {
  std::string text(1 << 20, '\0');
  auto* decompressor = libdeflate_alloc_decompressor();
  std::size_t size = 0;
  const auto result = libdeflate_gzip_decompress(decompressor, data.data(), data.size(),
                                                 text.data(), text.size(), &size);
  libdeflate_free_decompressor(decompressor);
  REQUIRE(result == LIBDEFLATE_SUCCESS);
  text.resize(size);
  return text;
}

}  // namespace

TEST_CASE("a large page is compressed when somebody wants it so") {
  Page page;
  fill(page, 1000);
  page.is_gzip_wanted = true;
  page.compress();
  CHECK(page.gzip.size() < page.text.text().size() / 4);
  CHECK(gunzip(page.gzip) == page.text.text());
}

TEST_CASE("nothing is compressed that is small or that nobody wants compressed") {
  Page small;
  fill(small, 3);
  small.is_gzip_wanted = true;
  small.compress();
  CHECK(small.gzip.empty());

  Page unwanted;
  fill(unwanted, 1000);
  unwanted.compress();
  CHECK(unwanted.gzip.empty());
}

TEST_CASE("a page's memory is used again once nobody reads it any more") {
  exporter::PagePool pool;
  auto first = pool.take();
  const auto* memory = first.get();
  fill(*first, 1000);
  first->is_gzip_wanted = true;
  first->compress();
  CHECK(pool.take().get() != memory);
  first.reset();
  const auto second = pool.take();
  CHECK(second.get() == memory);
  CHECK(second->gzip.empty());
}

TEST_CASE("a page may outlive its pool") {
  std::shared_ptr<Page> page;
  {
    exporter::PagePool pool;
    page = pool.take();
  }
  fill(*page, 1);
  CHECK(page->text.text().ends_with("filled{i=\"0\"} 0\n"));
}
