import CKernels
import Foundation

/// Unicode normalization forms, as Hugging Face's library computes them: by the tables of Unicode 9, to which later scalars are unknown.
package enum UnicodeForm: String, Sendable, CaseIterable {
  case nfc = "NFC"
  case nfd = "NFD"
  case nfkc = "NFKC"
  case nfkd = "NFKD"

  private var composes: Bool { self == .nfc || self == .nfkc }
  private var bit: UInt8 { self == .nfc ? 1 : self == .nfd ? 2 : self == .nfkc ? 4 : 8 }

  private func full(_ string: String) -> String {
    switch self {
    case .nfc: string.precomposedStringWithCanonicalMapping
    case .nfd: string.decomposedStringWithCanonicalMapping
    case .nfkc: string.precomposedStringWithCompatibilityMapping
    case .nfkd: string.decomposedStringWithCompatibilityMapping
    }
  }

  /// The normalized text. What is not UTF-8 stays as it is.
  ///
  /// Only runs of scalars that a form can change go through Foundation, each with the scalar before it, with which it may compose.
  func apply(_ text: [UInt8]) -> [UInt8] {
    let unchanged = text
    return text.withUnsafeBufferPointer { text in
      var start = next(text, 0)
      guard start < text.count else { return unchanged }
      var result: [UInt8] = []
      result.reserveCapacity(text.count + 16)
      var done = 0
      while start < text.count {
        var end = start
        while end < text.count, let (scalar, width) = Self.scalar(text, end), Self.flags(scalar) & bit != 0 { end += width }
        var first = start
        if composes { first = max(done, Self.base(text, before: start)) }
        result.append(contentsOf: text[done..<first])
        result.append(contentsOf: full(String(decoding: text[first..<end], as: UTF8.self)).utf8)
        done = end
        start = next(text, end)
      }
      result.append(contentsOf: text[done...])
      return result
    }
  }

  /// Whether no scalar in a part of a text is one that this form can change.
  func leaves(_ text: [UInt8], _ range: Range<Int>) -> Bool {
    text.withUnsafeBufferPointer { next(UnsafeBufferPointer(rebasing: $0[range]), 0) == range.count }
  }

  /// The next scalar that this form can change.
  private func next(_ text: UnsafeBufferPointer<UInt8>, _ at: Int) -> Int {
    weir_find_flagged(text.baseAddress, text.count, at, Self.table, UInt32(Self.limit), bit)
  }

  /// Where the scalar before a position begins, if the tables know it.
  private static func base(_ text: UnsafeBufferPointer<UInt8>, before end: Int) -> Int {
    for width in 1...4 where width <= end {
      guard let (scalar, length) = scalar(text, end - width), length == width else { continue }
      return flags(scalar) & unknown == 0 ? end - width : end
    }
    return end
  }

  private static func scalar(_ text: UnsafeBufferPointer<UInt8>, _ at: Int) -> (UInt32, Int)? {
    var decoder = UTF8()
    var bytes = text[at..<min(text.count, at + 4)].makeIterator()
    guard case .scalarValue(let scalar) = decoder.decode(&bytes) else { return nil }
    return (scalar.value, UTF8.width(scalar))
  }

  private static let limit = 0x2FA20
  /// Set for scalars that came after the tables.
  private static let unknown: UInt8 = 16

  private static func flags(_ scalar: UInt32) -> UInt8 { scalar < UInt32(limit) ? table[Int(scalar)] : 0 }

  /// The forms that can change a scalar or move it, by bits.
  private nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {
    let table = UnsafeMutablePointer<UInt8>.allocate(capacity: limit)
    table.initialize(repeating: 0, count: limit)
    // The other ranges have no decompositions or marks: CJK, private use, large scripts.
    let ranges: [Range<UInt32>] = [0x80..<0x3400, 0xA000..<0xAC00, 0xD7A4..<0xD800, 0xF900..<0x17000, 0x1B000..<0x20000, 0x2F800..<0x2FA20]
    for scalar in ranges.joined().lazy.compactMap(Unicode.Scalar.init) {
      let properties = scalar.properties
      guard let age = properties.age, age.major <= 9 else {
        table[Int(scalar.value)] = unknown
        continue
      }
      let isMark = properties.canonicalCombiningClass != .notReordered
      let text = String(scalar)
      for form in allCases {
        let normal = form.full(text).unicodeScalars
        if isMark || !normal.elementsEqual(text.unicodeScalars) { table[Int(scalar.value)] |= form.bit }
        // What follows in a decomposition may compose with what precedes it.
        if form == .nfd { for part in normal.dropFirst() { table[Int(part.value)] |= nfc.bit | nfkc.bit } }
      }
    }
    for syllable in 0xAC00..<0xD7A4 { table[syllable] |= nfd.bit | nfkd.bit }
    for jamo in Array(0x1161..<0x1176) + Array(0x11A8..<0x11C3) { table[jamo] |= nfc.bit | nfkc.bit }
    return UnsafePointer(table)
  }()
}
