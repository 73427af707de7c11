#include "metrics/text_encoder.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "metrics/escape.hpp"
#include "metrics/number.hpp"

namespace metrics {
namespace {

constexpr std::string_view kCounterSuffix = "_total";

/// Copies pieces of a fixed size, the last of which overlaps the one before.
template <std::size_t kSize>
char* write_pieces(char* out, std::string_view text) {
  const auto last = text.size() - kSize;
  for (std::size_t at = 0; at < last; at += kSize) std::memcpy(out + at, text.data() + at, kSize);
  std::memcpy(out + last, text.data() + last, kSize);
  return out + text.size();
}

/// For names and the like, which are too short to be worth a call of memmove.
char* write(char* out, std::string_view text) {
  if (text.size() >= 16) return write_pieces<16>(out, text);
  if (text.size() >= 8) return write_pieces<8>(out, text);
  if (text.size() >= 4) return write_pieces<4>(out, text);
  if (text.size() >= 2) return write_pieces<2>(out, text);
  if (!text.empty()) *out++ = text.front();
  return out;
}

/// The end of a sample's line.
char* write_value(char* out, double value) {
  *out++ = ' ';
  out = write_number(out, value);
  *out++ = '\n';
  return out;
}

/// Without the brace that closes them.
char* write_labels(char* out, Labels labels) {
  char before = '{';
  for (const auto& label : labels) {
    *out++ = before;
    out = write(out, label.name);
    *out++ = '=';
    *out++ = '"';
    out = write_escaped(out, label.value, Quotes::escape);
    *out++ = '"';
    before = ',';
  }
  return out;
}

/// What a line takes at most beside the name of its family, be it a bucket's, whose bound is a
/// second number.
std::size_t room_for(Labels labels) {
  constexpr std::string_view kFixed = "_bucket{,le=\"\"} \n";
  std::size_t bytes = kFixed.size() + 2 * kMaxNumberBytes;
  for (const auto& label : labels) {
    constexpr std::string_view kFixedPerLabel = ",=\"\"";
    bytes +=
        kFixedPerLabel.size() + label.name.size() + kMaxEscapedBytesPerByte * label.value.size();
  }
  return bytes;
}

/// OpenMetrics names a counter's family without the suffix that its samples carry.
bool is_suffixed_counter(const Family& family) {
  return family.kind == Kind::counter && family.name.ends_with(kCounterSuffix);
}

std::string_view without_suffix(std::string_view counter) {
  return counter.substr(0, counter.size() - kCounterSuffix.size());
}

std::string_view type_name(const Family& family, TextFormat format) {
  const bool openmetrics = format == TextFormat::openmetrics_1_0_0;
  switch (family.kind) {
    case Kind::gauge:
      return "gauge";
    case Kind::counter:
      return openmetrics && !is_suffixed_counter(family) ? "unknown" : "counter";
    case Kind::histogram:
      return "histogram";
    case Kind::summary:
      return "summary";
    case Kind::unknown:
      break;
  }
  return openmetrics ? "unknown" : "untyped";
}

/// The lines before the samples.
std::string announcement(const Family& family, TextFormat format) {
  const bool openmetrics = format == TextFormat::openmetrics_1_0_0;
  std::string help(kMaxEscapedBytesPerByte * family.help.size(), '\0');
  // 0.0.4 has no escape for a quote in HELP, OpenMetrics requires one.
  const auto quotes = openmetrics ? Quotes::escape : Quotes::keep;
  const auto* const end = write_escaped(help.data(), family.help, quotes);
  help.resize(static_cast<std::size_t>(end - help.data()));
  const std::string name(openmetrics && is_suffixed_counter(family) ? without_suffix(family.name)
                                                                    : family.name);
  const auto help_line = "# HELP " + name + ' ' + help + '\n';
  const auto type_line = "# TYPE " + name + ' ' + std::string(type_name(family, format)) + '\n';
  return openmetrics ? type_line + help_line : help_line + type_line;
}

}  // namespace

std::vector<std::string> names_on_page(const Family& family) {
  const std::string name(family.name);
  switch (family.kind) {
    case Kind::histogram:
      return {name, name + "_bucket", name + "_sum", name + "_count"};
    case Kind::summary:
      return {name, name + "_sum", name + "_count"};
    case Kind::counter:
      if (is_suffixed_counter(family)) return {name, std::string(without_suffix(name))};
      break;
    case Kind::gauge:
    case Kind::unknown:
      break;
  }
  return {name};
}

void TextEncoder::grow(std::size_t bytes) {
  buffer_.resize(std::max(used_ + bytes, 2 * buffer_.size()));
}

std::size_t TextEncoder::place_of(std::string_view name) {
  auto known = index_.find(name);
  if (known == index_.end()) {
    // In this order nothing points past the end when memory runs out.
    families_.push_back({.name = std::string(name)});
    known = index_.emplace(name, families_.size() - 1).first;
  }
  return known->second;
}

/// Pages are alike: the family that came after the last one is tried before all are searched.
void TextEncoder::go_to(std::string_view name) {
  auto place = families_[family_].follower;
  if (families_[place].name != name) {
    place = place_of(name);
    families_[family_].follower = place;
  }
  family_ = place;
}

/// Whether the family, to which it has gone, cannot be on this page.
bool TextEncoder::is_taken(const Family& family) {
  const auto is_used = [this](std::size_t place) { return families_[place].page == page_; };
  if (is_used(family_)) return true;
  if (families_[family_].kind != family.kind) {
    std::vector<std::size_t> others;
    for (const auto& name : names_on_page(family)) {
      if (name != family.name) others.push_back(place_of(name));
    }
    auto& announced = families_[family_];
    announced.others = std::move(others);
    announced.kind = family.kind;
    announced.text.clear();
  }
  const auto& others = families_[family_].others;
  return std::any_of(others.begin(), others.end(), is_used);
}

void TextEncoder::forget_families() {
  families_.assign(1, {});
  index_.clear();
}

void TextEncoder::on_family(const Family& family) {
  name_ = family.name;
  go_to(family.name);
  refusing_ = is_taken(family);
  if (refusing_) {
    refused_.emplace_back(family.name);
    return;
  }
  auto& announced = families_[family_];
  if (announced.text.empty() || announced.format != format_ || announced.help != family.help) {
    announced.format = format_;
    announced.help = family.help;
    announced.text = announcement(family, format_);
  }
  announced.page = page_;
  for (const auto other : announced.others) families_[other].page = page_;
  name_count_ += 1 + announced.others.size();
  const auto& text = announced.text;
  written_to(std::copy(text.begin(), text.end(), reserve(text.size())));
}

void TextEncoder::on_sample(Labels labels, double value) {
  if (refusing_) return;
  auto* out = write_labels(write(reserve(name_.size() + room_for(labels)), name_), labels);
  if (!labels.empty()) *out++ = '}';
  written_to(write_value(out, value));
}

void TextEncoder::on_part(std::string_view suffix, Labels labels, double value) {
  if (refusing_) return;
  auto* out = write(reserve(name_.size() + suffix.size() + room_for(labels)), name_);
  out = write_labels(write(out, suffix), labels);
  if (!labels.empty()) *out++ = '}';
  written_to(write_value(out, value));
}

void TextEncoder::on_histogram(Labels labels, const Histogram& histogram) {
  const auto buckets = histogram.buckets;
  if (refusing_ || buckets.empty()) return;
  auto* out = reserve((name_.size() + room_for(labels)) * (buckets.size() + 2));
  const auto write_series = [&](std::string_view suffix) {
    out = write_labels(write(write(out, name_), suffix), labels);
  };
  const auto* const begin = out;
  write_series("_bucket");
  out = write(out, labels.empty() ? "{le=\"" : ",le=\"");
  const std::string_view series(begin, static_cast<std::size_t>(out - begin));
  for (const auto& bucket : buckets) {
    if (&bucket != &buckets.front()) out = write(out, series);
    out = write(write_bound(out, bucket.upper_bound), "\"}");
    out = write_value(out, static_cast<double>(bucket.cumulative_count));
  }
  const auto write_line = [&](std::string_view suffix, double value) {
    write_series(suffix);
    if (!labels.empty()) *out++ = '}';
    out = write_value(out, value);
  };
  write_line("_sum", histogram.sum);
  write_line("_count", static_cast<double>(buckets.back().cumulative_count));
  written_to(out);
}

void TextEncoder::finish() {
  if (format_ == TextFormat::openmetrics_1_0_0) written_to(write(reserve(8), "# EOF\n"));
}

void TextEncoder::restart(TextFormat format) {
  // Families come and go with devices and files: those of the past must not fill the memory.
  constexpr std::size_t kSpare = 256;
  if (families_.size() > 2 * name_count_ + kSpare) forget_families();
  family_ = 0;
  format_ = format;
  used_ = 0;
  name_ = {};
  refusing_ = false;
  name_count_ = 0;
  ++page_;
  refused_.clear();
}

}  // namespace metrics
