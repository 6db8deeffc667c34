import CKernels

/// What the rules need to know of a text, taken in one pass over its UTF-8 bytes (`text_shape.c`): words, lines, counts. One value is reused for
/// many texts.
struct TextShape: Sendable {
  private var shaper = TextShape.shaper()

  private static func shaper() -> KernelMemory {
    KernelMemory(weir_shaper_create(WordForms.english.pointer) { CharacterClasses.fill($0, $1) }, weir_shaper_destroy)
  }

  /// Takes the shape of `text`, of fewer than 2³² bytes.
  /// - Parameter level: of vector instructions, at most `weir_simd_level()`; all give the same.
  mutating func measure(_ text: [UInt8], level: Int32 = weir_simd_level()) {
    precondition(text.count < 1 << 32)
    if !isKnownUniquelyReferenced(&shaper) { shaper = Self.shaper() }
    text.withUnsafeBufferPointer { weir_shaper_measure(shaper.pointer, $0.baseAddress, $0.count, level) }
  }

  private var found: UnsafePointer<weir_shape> { weir_shaper_shape(shaper.pointer) }

  /// Counts of the whole text.
  var counts: weir_shape { found.pointee }
  /// Words as spaCy's English tokenizer cuts them.
  var words: UnsafeBufferPointer<weir_word> { .init(start: found.pointee.words, count: found.pointee.word_count) }
  /// Between newlines; what follows the last newline is one where it is not empty.
  var lines: UnsafeBufferPointer<weir_line> { .init(start: found.pointee.lines, count: found.pointee.line_count) }
  /// Between line ends of all kinds (`\r\n` is one), without an empty one at the end.
  var rows: UnsafeBufferPointer<weir_row> { .init(start: found.pointee.rows, count: found.pointee.row_count) }
}

/// Memory of a kernel that goes with its owner.
final class KernelMemory: Sendable {
  nonisolated(unsafe) let pointer: OpaquePointer
  private let destroy: @Sendable (OpaquePointer) -> Void

  /// Takes what a kernel made, which is never NULL, and how it is destroyed.
  init(_ pointer: OpaquePointer?, _ destroy: @escaping @Sendable (OpaquePointer) -> Void) {
    guard let pointer else { preconditionFailure("a kernel had no memory") }
    self.pointer = pointer
    self.destroy = destroy
  }

  deinit { destroy(pointer) }
}

extension weir_line {
  /// Bytes.
  var count: Int { Int(end - start) }
}
