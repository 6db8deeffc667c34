import CKernels

/// A fixed block of memory at a multiple of 64 bytes, all zeros at first, that lives as long as its owner. A large one lies in large pages and
/// takes memory where it is touched, by whoever touches it.
package final class MemoryBlock: Sendable {
  /// The first byte.
  package nonisolated(unsafe) let base: UnsafeMutableRawPointer
  /// The number of bytes.
  package let bytes: Int
  private let isMapped: Bool

  /// Creates a block of zeros.
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
