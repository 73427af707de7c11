#include "collectors/signals/record.hpp"

#include <cmath>

namespace collectors::signals {
namespace {

using Which = metrics::SlidingExtreme::Which;

}  // namespace

Record::Record(Form form, std::span<const double> edges, std::chrono::nanoseconds window)
    : extreme_(form == Form::lowest ? Which::smallest : Which::largest, window) {
  if (form == Form::histogram_and_peak) histogram_.emplace(edges);
}

void Record::add(Clock::time_point time, double value) {
  if (histogram_) histogram_->record(value);
  extreme_.record(time, value);
}

void Record::settle(Clock::time_point now, double wall_seconds) {
  constexpr double kTenths = 10;
  shown_.reset();
  const auto found = extreme_.at(now);
  if (!found) return;
  const std::chrono::duration<double> age = now - found->time;
  // In tenths, because the clocks are not read at the same instant: the time of a past event must
  // not look different at each scrape.
  const double seconds = std::round((wall_seconds - age.count()) * kTenths) / kTenths;
  shown_ = Extreme{found->value, seconds};
}

FamilyTexts::FamilyTexts(std::string_view name, std::string_view help, Form form)
    : form_(form), name_(std::string("host_").append(name)), help_(help) {
  const bool is_lowest = form == Form::lowest;
  extreme_name_ = name_ + (is_lowest ? "_lowest" : "_peak");
  extreme_help_ = std::string(is_lowest ? "Lowest" : "Highest") +
                  " sample of at least two windows (--window). " + help_;
  timestamp_name_ = extreme_name_ + "_timestamp_seconds";
  timestamp_help_ = "Unix time of the last sample that was as in " + extreme_name_ + ". " + help_;
}

}  // namespace collectors::signals
