import CKernels

/// Words, lines and counts of a text, computed in one pass over its UTF-8 bytes (`text_shape.c`). One value is reused for many texts.
package struct TextShape: Sendable {
  package init() {}

  private var shaper = TextShape.shaper()

  private static func shaper() -> KernelMemory {
    KernelMemory(weir_shaper_create(WordForms.english.pointer) { CharacterClasses.fill($0, $1) }, weir_shaper_destroy)
  }

  /// Measures `text`, of fewer than 2³² bytes.
  /// - Parameter level: level of vector instructions, at most `weir_simd_level()`; all give the same result.
  package mutating func measure(_ text: [UInt8], level: Int32 = weir_simd_level()) {
    precondition(text.count < 1 << 32)
    if !isKnownUniquelyReferenced(&shaper) { shaper = Self.shaper() }
    text.withUnsafeBufferPointer { weir_shaper_measure(shaper.pointer, $0.baseAddress, $0.count, level) }
  }

  private var found: UnsafePointer<weir_shape> { weir_shaper_shape(shaper.pointer) }

  package var counts: weir_shape { found.pointee }
  /// Words as split by spaCy's English tokenizer.
  package var words: UnsafeBufferPointer<weir_word> { .init(start: found.pointee.words, count: found.pointee.word_count) }
  /// Lines between newlines; a non-empty rest after the last newline is a line.
  package var lines: UnsafeBufferPointer<weir_line> { .init(start: found.pointee.lines, count: found.pointee.line_count) }
  /// Lines between line ends of all kinds (`\r\n` is one), without an empty last line.
  package var rows: UnsafeBufferPointer<weir_row> { .init(start: found.pointee.rows, count: found.pointee.row_count) }
}

/// Memory allocated by a kernel, owned.
final class KernelMemory: Sendable {
  nonisolated(unsafe) let pointer: OpaquePointer
  private let destroy: @Sendable (OpaquePointer) -> Void

  /// Takes ownership of a kernel's allocation.
  init(_ pointer: OpaquePointer?, _ destroy: @escaping @Sendable (OpaquePointer) -> Void) {
    guard let pointer else { preconditionFailure("out of memory") }
    self.pointer = pointer
    self.destroy = destroy
  }

  deinit { destroy(pointer) }
}

extension weir_line {
  var count: Int { Int(end - start) }
}
