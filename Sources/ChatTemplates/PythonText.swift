/// Python's string operations on UTF-8: positions and lengths count Unicode scalars.
enum PythonText {
  /// What `str.isspace` accepts.
  static func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value) }

  static func string(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

  static func scalars(_ bytes: some Sequence<UInt8>) -> [Unicode.Scalar] { Array(string(bytes).unicodeScalars) }

  static func bytes(_ scalars: some Sequence<Unicode.Scalar>) -> [UInt8] {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return Array(String(view).utf8)
  }

  static func length(_ bytes: [UInt8]) -> Int { bytes.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) } }

  /// Removes scalars at the ends: white space, or those of `set`.
  static func strip(_ text: ArraySlice<UInt8>, left: Bool = true, right: Bool = true, set: [UInt8]? = nil) -> ArraySlice<UInt8> {
    let wanted = set.map { Set(scalars($0)) }
    func isRemoved(_ scalar: Unicode.Scalar) -> Bool { wanted?.contains(scalar) ?? isSpace(scalar) }
    var rest = text
    while left, let first = rest.first {
      let length = first < 0x80 ? 1 : min(rest.count, (~first).leadingZeroBitCount)
      guard let scalar = string(rest.prefix(max(1, length))).unicodeScalars.first, isRemoved(scalar) else { break }
      rest = rest.dropFirst(max(1, length))
    }
    while right, !rest.isEmpty {
      var length = 1
      while length < min(4, rest.count), rest[rest.endIndex - length] & 0xC0 == 0x80 { length += 1 }
      guard let scalar = string(rest.suffix(length)).unicodeScalars.first, isRemoved(scalar) else { break }
      rest = rest.dropLast(length)
    }
    return rest
  }

  /// The first occurrence of `part` at or after `start`.
  static func find(_ part: [UInt8], in text: [UInt8], from start: Int = 0) -> Int? {
    guard let first = part.first else { return start <= text.count ? start : nil }
    var position = start
    while position + part.count <= text.count {
      if text[position] == first, text[position..<(position + part.count)].elementsEqual(part) { return position }
      position += 1
    }
    return nil
  }

  /// Parts between occurrences of `separator`, or between runs of white space without one.
  static func split(_ text: [UInt8], _ separator: [UInt8]?, most: Int = -1) -> [[UInt8]] {
    guard let separator else {
      let parts = scalars(text).split(maxSplits: most < 0 ? .max : most, omittingEmptySubsequences: true, whereSeparator: isSpace)
      return parts.map { bytes($0) }.map { most < 0 ? $0 : Array(strip($0[...], right: false)) }
    }
    var parts: [[UInt8]] = [], start = 0
    while most < 0 || parts.count < most, let found = find(separator, in: text, from: start) {
      parts.append(Array(text[start..<found]))
      start = found + separator.count
    }
    return parts + [Array(text[start...])]
  }

  static func replace(_ text: [UInt8], _ old: [UInt8], by new: [UInt8], most: Int = -1) -> [UInt8] {
    guard !old.isEmpty else {
      let pieces = scalars(text).map { bytes([$0]) }
      return new + pieces.flatMap { $0 + new }
    }
    return Array(split(text, old, most: most).joined(separator: new))
  }

  /// The first letter in upper case, the others in lower case.
  static func capitalize(_ text: [UInt8]) -> [UInt8] {
    let all = string(text)
    guard let first = all.unicodeScalars.first else { return [] }
    return Array((first.properties.titlecaseMapping + String(all.unicodeScalars.dropFirst()).lowercased()).utf8)
  }

  /// `repr` of a string.
  static func quoted(_ text: [UInt8]) -> [UInt8] {
    let quote: UInt8 = text.contains(0x27) && !text.contains(0x22) ? 0x22 : 0x27
    var result = [quote]
    for byte in text {
      switch byte {
      case 0x0A: result += [0x5C, 0x6E]
      case 0x0D: result += [0x5C, 0x72]
      case 0x09: result += [0x5C, 0x74]
      case 0x5C, quote: result += [0x5C, byte]
      default: result.append(byte)
      }
    }
    return result + [quote]
  }
}

extension PythonText {
  /// Each word with its first letter in upper case, the others in lower case.
  static func title(_ text: [UInt8]) -> [UInt8] {
    var result = "", isInWord = false
    for scalar in scalars(text) {
      let properties = scalar.properties
      result += isInWord ? properties.lowercaseMapping : properties.titlecaseMapping
      isInWord = properties.isCased
    }
    return Array(result.utf8)
  }
}
