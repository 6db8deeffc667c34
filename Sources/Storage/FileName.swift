import Foundation

/// File names, which are bytes on Linux, as strings.
///
/// A byte that is not part of a character in UTF-8 becomes a private-use character, U+10FF00 plus the byte, as does each byte of such a
/// character in a name. So every name has one string, and every string that comes from a name leads back to it.
package enum FileName {
  private static let escapes: ClosedRange<UInt32> = 0x10_FF00...0x10_FFFF

  /// The string of a name.
  package static func string(_ name: UnsafePointer<CChar>) -> String {
    if let plain = String(validatingCString: name), !isEscaped(plain) { return plain }
    var rest = UnsafeBufferPointer(start: name, count: strlen(name)).map { UInt8(bitPattern: $0) }[...]
    var result = String.UnicodeScalarView()
    while let byte = rest.first {
      let width = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
      if let scalar = String(validating: rest.prefix(width), as: UTF8.self)?.unicodeScalars.first, !escapes.contains(scalar.value) {
        result.append(scalar)
        rest = rest.dropFirst(width)
      } else {
        if let escape = Unicode.Scalar(escapes.lowerBound + UInt32(byte)) { result.append(escape) }
        rest = rest.dropFirst()
      }
    }
    return String(result)
  }

  /// Calls `body` with the name that a string stands for.
  static func withBytes<R>(_ path: String, _ body: (UnsafePointer<CChar>) throws -> R) rethrows -> R {
    guard isEscaped(path) else { return try path.withCString(body) }
    var bytes: [CChar] = []
    for scalar in path.unicodeScalars {
      if escapes.contains(scalar.value) {
        bytes.append(CChar(bitPattern: UInt8(scalar.value & 0xFF)))
      } else {
        bytes += UTF8.encode(scalar).map { $0.map { CChar(bitPattern: $0) } } ?? []
      }
    }
    bytes.append(0)
    return try body(&bytes)
  }

  private static func isEscaped(_ path: String) -> Bool {
    // Escapes begin with this byte; few other characters do.
    path.utf8.contains(0xF4) && path.unicodeScalars.contains { escapes.contains($0.value) }
  }
}
