# OpenCV's dnn module, which alone runs the networks of the model server. Debian's libopencv-dnn-dev
# has neither a CMake package nor a .pc file; those are in a package of a gigabyte.
#
# Defines MODEL_SERVER, on where the module is found unless it is asked for, and with it the target
# OpenCv::dnn.
find_path(OPENCV_DNN_INCLUDE_DIR opencv2/dnn.hpp PATH_SUFFIXES opencv4)
find_library(OPENCV_CORE_LIBRARY opencv_core)
find_library(OPENCV_DNN_LIBRARY opencv_dnn)
set(found ${OPENCV_DNN_INCLUDE_DIR} ${OPENCV_CORE_LIBRARY} ${OPENCV_DNN_LIBRARY})
set(is_found ON)
if("${found}" MATCHES "NOTFOUND")
  set(is_found OFF)
endif()
option(MODEL_SERVER "Build the model server, which needs OpenCV's dnn module" ${is_found})
if(MODEL_SERVER AND NOT is_found)
  message(FATAL_ERROR
    "The model server needs the Debian package libopencv-dnn-dev, which is missing.")
endif()
if(MODEL_SERVER)
  add_library(OpenCv::dnn INTERFACE IMPORTED GLOBAL)
  target_include_directories(OpenCv::dnn SYSTEM INTERFACE ${OPENCV_DNN_INCLUDE_DIR})
  target_link_libraries(OpenCv::dnn INTERFACE ${OPENCV_DNN_LIBRARY} ${OPENCV_CORE_LIBRARY})
endif()
