import CKernels

/// A fixed block of 64-byte-aligned floats that lives as long as its owner: parameters, moments, the arena of activations.
package final class FloatBuffer: Sendable {
  /// The first float.
  package nonisolated(unsafe) let base: UnsafeMutablePointer<Float>
  /// The number of floats.
  package let count: Int

  private let block: MemoryBlock

  /// Creates a block of zeros. A large one takes memory where it is touched, by whoever touches it.
  package init(_ count: Int) {
    self.count = count
    block = MemoryBlock(bytes: count * MemoryLayout<Float>.stride)
    base = block.base.bindMemory(to: Float.self, capacity: count)
  }

  /// Creates a copy.
  package convenience init(copying other: FloatBuffer) {
    self.init(other.count)
    copy(from: other)
  }

  /// The floats of a range, copied.
  package subscript(range: Range<Int>) -> [Float] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "a range outside the buffer")
    return Array(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
  }

  /// The floats, copied.
  package var values: [Float] { self[0..<count] }

  /// Writes `values` at `offset`.
  package func write(_ values: some Collection<Float>, at offset: Int = 0) {
    precondition(offset >= 0 && offset + values.count <= count, "a range outside the buffer")
    _ = UnsafeMutableBufferPointer(start: base + offset, count: values.count).update(fromContentsOf: values)
  }

  /// Copies the other block, of the same size, into this one.
  package func copy(from other: FloatBuffer) {
    precondition(other.count == count, "blocks of different sizes")
    base.update(from: other.base, count: count)
  }

  /// Whether every float is a number.
  package var isFinite: Bool { isFinite(0..<count) }

  /// Whether every float of a range is a number.
  package func isFinite(_ range: Range<Int>) -> Bool {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "a range outside the buffer")
    return weir_all_finite(base + range.lowerBound, range.count) != 0
  }

  /// Sets every float to zero.
  package func clear() { base.update(repeating: 0, count: count) }
}
