/// The character classes of the pre-tokenizer patterns.
///
/// The table is part of the source instead of the standard library's properties, so that the same text gives the same tokens with any
/// toolchain. One byte per scalar up to the last one with a class (0x323AF, 206 KB, of which text touches a few cache lines), filled at
/// first use in well under a millisecond.
enum CharacterClass {
  /// None of the others: marks, punctuation, symbols, unassigned scalars, and every byte that is not UTF-8.
  static let other: UInt8 = 0
  /// `\p{L}`.
  static let letter: UInt8 = 1
  /// `\p{N}`.
  static let number: UInt8 = 2
  /// `\s` without newlines.
  static let space: UInt8 = 3
  /// `[\r\n]`.
  static let newline: UInt8 = 4

  /// Scalars from here on are `other`.
  static let limit = 0x323B0

  /// The class of every scalar below `limit`.
  nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {
    let table = UnsafeMutablePointer<UInt8>.allocate(capacity: limit)
    table.initialize(repeating: other, count: limit)
    let runs = Self.runs
    for (index, run) in runs.enumerated() where run & 3 != 0 {
      let start = Int(run >> 2)
      let end = index + 1 < runs.count ? Int(runs[index + 1] >> 2) : limit
      for scalar in start..<min(end, limit) { table[scalar] = UInt8(run & 3) }
    }
    table[0x0A] = newline
    table[0x0D] = newline
    return UnsafePointer(table)
  }()

  static func of(_ scalar: UInt32) -> UInt8 { scalar < UInt32(limit) ? table[Int(scalar)] : other }
}
