/*
 * Stands before the Vulkan loader in the process that it is loaded into (with RTLD_GLOBAL, before ggml's Vulkan
 * library): buffers are never destroyed. Their memory is freed as ever.
 *
 * Vulkan allows a descriptor that no shader of the pipeline uses to name a buffer that is gone, and ggml leaves such
 * descriptors in its sets. Mesa's lavapipe before 23.2 takes and drops references to all buffers that a bound set
 * names, in memory that is then something else's.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

typedef void (*Function)(void);
typedef Function (*Lookup)(void *of, const char *name);

static void keepBuffer(void *device, uint64_t buffer, const void *allocator) {
  (void)device, (void)buffer, (void)allocator;
}

static Function found(const char *lookup, void *of, const char *name) {
  if (strcmp(name, "vkDestroyBuffer") == 0) return (Function)keepBuffer;
  Lookup loader = (Lookup)dlsym(dlopen("libvulkan.so.1", RTLD_LAZY), lookup);
  return loader(of, name);
}

Function vkGetDeviceProcAddr(void *device, const char *name) {
  return found("vkGetDeviceProcAddr", device, name);
}

Function vkGetInstanceProcAddr(void *instance, const char *name) {
  if (strcmp(name, "vkGetDeviceProcAddr") == 0) return (Function)vkGetDeviceProcAddr;
  return found("vkGetInstanceProcAddr", instance, name);
}
