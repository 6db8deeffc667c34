/// The classes of characters that the pre-tokenizer patterns tell apart.
///
/// A table that is part of the source rather than the standard library's properties: the same text gives the same tokens whatever
/// toolchain built the program. One byte a scalar up to the last one with a class (0x323AF, 206 KB, of which text touches a few
/// lines), filled once at first use in well under a millisecond.
enum CharacterClass {
  /// Neither of the others: marks, punctuation, symbols, unassigned scalars, and every byte that is not UTF-8.
  static let other: UInt8 = 0
  /// `\p{L}`.
  static let letter: UInt8 = 1
  /// `\p{N}`.
  static let number: UInt8 = 2
  /// `\s` without the two below.
  static let space: UInt8 = 3
  /// `[\r\n]`.
  static let newline: UInt8 = 4

  /// Scalars from here on are `other`.
  static let limit = 0x323B0

  /// The class of every scalar below `limit`; lives as long as the process.
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

  /// The class of one scalar value.
  static func of(_ scalar: UInt32) -> UInt8 { scalar < UInt32(limit) ? table[Int(scalar)] : other }
}
