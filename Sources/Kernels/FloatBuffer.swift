import CKernels

/// A fixed-size, 64-byte-aligned buffer of floats, for parameters, optimizer moments and activations.
package final class FloatBuffer: Sendable {
  package nonisolated(unsafe) let base: UnsafeMutablePointer<Float>
  package let count: Int

  private let block: MemoryBlock

  /// Creates a buffer of zeros. The memory of a large buffer is committed page by page, on first use.
  package init(_ count: Int) {
    self.count = count
    block = MemoryBlock(bytes: count * MemoryLayout<Float>.stride)
    base = block.base.bindMemory(to: Float.self, capacity: count)
  }

  package convenience init(copying other: FloatBuffer) {
    self.init(other.count)
    copy(from: other)
  }

  /// A copy of a range.
  package subscript(range: Range<Int>) -> [Float] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "the range is outside the buffer")
    return Array(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
  }

  /// A copy of all floats.
  package var values: [Float] { self[0..<count] }

  /// Copies `values` into the buffer, from `offset` on.
  package func write(_ values: some Collection<Float>, at offset: Int = 0) {
    precondition(offset >= 0 && offset + values.count <= count, "the range is outside the buffer")
    _ = UnsafeMutableBufferPointer(start: base + offset, count: values.count).update(fromContentsOf: values)
  }

  /// Copies all floats of another buffer of the same size.
  package func copy(from other: FloatBuffer) {
    precondition(other.count == count, "the buffers differ in size")
    base.update(from: other.base, count: count)
  }

  /// Whether no float is NaN or infinite.
  package var isFinite: Bool { isFinite(0..<count) }

  /// Whether no float of a range is NaN or infinite.
  package func isFinite(_ range: Range<Int>) -> Bool {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "the range is outside the buffer")
    return weir_all_finite(base + range.lowerBound, range.count) != 0
  }

  package func clear() { base.update(repeating: 0, count: count) }
}
