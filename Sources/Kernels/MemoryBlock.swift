import CKernels

/// A fixed-size, 64-byte-aligned block of memory, initially zero. A block of 1 MiB or more is mapped in large pages, which are committed on first
/// use.
package final class MemoryBlock: Sendable {
  package nonisolated(unsafe) let base: UnsafeMutableRawPointer
  package let bytes: Int
  private let isMapped: Bool

  package init(bytes: Int) {
    self.bytes = bytes
    if bytes >= 1 << 20, let pages = weir_map_zeros(bytes) {
      isMapped = true
      base = pages
    } else {
      isMapped = false
      let size = max(64, bytes)
      base = .allocate(byteCount: size, alignment: 64)
      base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    }
  }

  deinit {
    if isMapped { weir_unmap(base, bytes) } else { base.deallocate() }
  }
}
