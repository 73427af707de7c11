// Boost.JSON has no library of its own to link; this is where it is compiled.
#include <boost/json/src.hpp>
