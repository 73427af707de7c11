#include "exporter/landing_page.hpp"

#include "exporter/version.hpp"
#include "metrics/escape.hpp"

namespace exporter {
namespace {

std::string_view describe(Status status) {
  switch (status) {
    case Status::waiting:
      return "not run yet, or late";
    case Status::ok:
      return "ok";
    case Status::absent:
      return "absent";
    case Status::failed:
      break;
  }
  return "failed";
}

/// A problem quotes kernel text, which a local user may have chosen: any bytes.
std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'') {
      escaped += "&#" + std::to_string(static_cast<int>(c)) + ";";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace

std::string landing_page(std::string_view telemetry_path, const CollectorNames& names,
                         const Reports& reports) {
  std::string rows;
  for (std::size_t i = 0; i < names.size(); ++i) {
    rows.append("<tr><td>").append(names[i]).append("</td><td>");
    rows.append(describe(reports[i].status)).append("</td><td>");
    rows.append(escape_html(metrics::repaired(reports[i].problem))).append("</td></tr>\n");
  }
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<title>resource_exporter</title>\n<style>body{font:16px/1.5 sans-serif;margin:2em}"
      "td,th{text-align:left;padding:0 2em 0 0}</style></head>\n"
      "<body><h1>resource_exporter</h1>\n<p>";
  page.append(version_text()).append("</p>\n<ul>\n");
  const auto link = [&page](std::string_view path, std::string_view what) {
    page.append("<li><a href=\"").append(path).append("\">").append(path).append("</a>: ");
    page.append(what).append("</li>\n");
  };
  link(telemetry_path, "metrics, for Prometheus");
  link("/-/healthy", "200 while the process serves");
  link("/-/ready", "200 when the collectors have started");
  page.append("</ul>\n<table><tr><th>Collector</th><th>Last pass</th><th></th></tr>\n");
  page.append(rows).append("</table></body></html>\n");
  return page;
}

}  // namespace exporter
