import CKernels

/// What is done to a text before it is pre-tokenized, in order.
package struct Normalizer: Sendable {
  enum Step: Sendable {
    case form(UnicodeForm)
    case lowercase
    case strip(left: Bool, right: Bool)
    case prepend([UInt8])
    case replace(PatternAutomaton, [UInt8])
    /// Blanks become U+2581 (▁), which stands for a blank in the vocabulary: here both are one blank.
    case blanks
  }

  var steps: [Step] = []

  package var isEmpty: Bool { steps.isEmpty }

  /// Whether a part of a text is seen to be normalized without a copy of it.
  func leaves(_ text: [UInt8], _ range: Range<Int>) -> Bool {
    steps.allSatisfy { if case .form(let form) = $0 { form.leaves(text, range) } else { false } }
  }

  /// The normalized text; bytes that are not UTF-8 stay as they are.
  func apply(_ text: [UInt8]) -> [UInt8] {
    steps.reduce(text) { text, step in
      switch step {
      case .form(let form): form.apply(text)
      case .lowercase: Lowercase.apply(text)
      case .strip(let left, let right): Self.strip(text, left: left, right: right)
      case .prepend(let prefix): text.isEmpty ? text : prefix + text
      case .replace(let pattern, let content): Self.replace(text, pattern, content)
      case .blanks: Self.blanks(text)
      }
    }
  }

  private static func replace(_ text: [UInt8], _ pattern: PatternAutomaton, _ content: [UInt8]) -> [UInt8] {
    let matches = pattern.matches(in: text)
    guard !matches.isEmpty else { return text }
    var result: [UInt8] = []
    var done = 0
    for match in matches {
      result += text[done..<match.lowerBound]
      result += content
      done = match.upperBound
    }
    return result + text[done...]
  }

  private static func strip(_ text: [UInt8], left: Bool, right: Bool) -> [UInt8] {
    var rest = text[...]
    while left, let (scalar, width) = rest.firstScalar, scalar.properties.isWhitespace { rest = rest.dropFirst(width) }
    while right, let (scalar, width) = rest.lastScalar, scalar.properties.isWhitespace { rest = rest.dropLast(width) }
    return Array(rest)
  }

  /// The text with blanks for U+2581.
  static func blanks(_ text: [UInt8]) -> [UInt8] {
    var next = text.nextBlankMark(from: 0)
    guard next < text.count else { return text }
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var at = 0
    while next < text.count {
      result += text[at..<next]
      result.append(0x20)
      at = next + 3
      next = text.nextBlankMark(from: at)
    }
    return result + text[at...]
  }
}

extension [UInt8] {
  /// U+2581, ▁.
  static let blankMark: [UInt8] = [0xE2, 0x96, 0x81]

  /// The position of the next ▁, or the end.
  fileprivate func nextBlankMark(from start: Int) -> Int {
    withUnsafeBufferPointer { weir_find_blank_mark($0.baseAddress, $0.count, start) }
  }
}

extension ArraySlice<UInt8> {
  /// The first scalar and its length; nil for bytes that are not UTF-8.
  var firstScalar: (scalar: Unicode.Scalar, width: Int)? {
    var decoder = UTF8()
    var bytes = makeIterator()
    guard case .scalarValue(let scalar) = decoder.decode(&bytes) else { return nil }
    return (scalar, UTF8.width(scalar))
  }

  /// The last scalar and its length; nil for bytes that are not UTF-8.
  var lastScalar: (scalar: Unicode.Scalar, width: Int)? {
    for width in 1...4 where width <= count {
      if let found = suffix(width).firstScalar, found.width == width { return found }
    }
    return nil
  }
}

/// Lowercase by scalar, as Rust's `char::to_lowercase`.
private enum Lowercase {
  static func apply(_ text: [UInt8]) -> [UInt8] {
    var result = text
    var all: UInt8 = 0
    result.withUnsafeMutableBufferPointer { bytes in
      for index in bytes.indices {
        let byte = bytes[index]
        all |= byte
        bytes[index] = byte &- 0x41 < 26 ? byte | 0x20 : byte
      }
    }
    guard all >= 0x80 else { return result }
    var lower: [UInt8] = []
    lower.reserveCapacity(result.count)
    var at = 0
    result.withUnsafeBufferPointer { text in
      while at < text.count {
        let next = weir_find_flagged(text.baseAddress, text.count, at, changes, UInt32(limit), 1)
        lower.append(contentsOf: text[at..<next])
        at = next
        guard at < text.count, let (scalar, width) = Array(text[at..<min(text.count, at + 4)])[...].firstScalar else { continue }
        lower.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
        at += width
      }
    }
    return lower
  }

  private static let limit = 0x1F000
  private nonisolated(unsafe) static let changes: UnsafePointer<UInt8> = {
    let table = UnsafeMutablePointer<UInt8>.allocate(capacity: limit)
    table.initialize(repeating: 0, count: limit)
    for value in UInt32(0x80)..<UInt32(limit) where Unicode.Scalar(value)?.properties.changesWhenLowercased == true {
      table[Int(value)] = 1
    }
    return UnsafePointer(table)
  }()
}
