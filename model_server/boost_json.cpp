// Boost.JSON, compiled here once: Debian has no library of it that does without Boost's own build.
#include <boost/json/src.hpp>
