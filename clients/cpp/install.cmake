# The library as a package that find_package(facewire_camera) finds; the program beside it.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/facewire_camera")

install(TARGETS facewire_camera facewire_stubs EXPORT facewire_camera
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(PROGRAMS "$<TARGET_FILE:camera>" DESTINATION "${CMAKE_INSTALL_BINDIR}" RENAME facewire-camera)
install(DIRECTORY include/facewire DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${stubs_folder}/facewire" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.pb.h")
install(EXPORT facewire_camera NAMESPACE facewire:: DESTINATION "${package_folder}" FILE facewire_camera_targets.cmake)

# protobuf's own package needs Abseil from 22 on; older ones, as Debian's, have no package, and CMake's module finds them.
file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/facewire_camera-config.cmake" [[
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_package(Protobuf CONFIG QUIET)
if(NOT Protobuf_FOUND)
  find_dependency(Protobuf)
endif()
find_dependency(gRPC CONFIG)
include("${CMAKE_CURRENT_LIST_DIR}/facewire_camera_targets.cmake")
]])
write_basic_package_version_file(
  "${CMAKE_CURRENT_BINARY_DIR}/facewire_camera-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/facewire_camera-config.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/facewire_camera-config-version.cmake"
  DESTINATION "${package_folder}")
