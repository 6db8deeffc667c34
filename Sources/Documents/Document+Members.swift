extension Document {
  /// Appends members, given as JSON, and removes those that had these names. Without such, the others stay byte for byte.
  package mutating func set(_ members: [(name: String, value: String)]) {
    guard !members.isEmpty else { return }
    let quoted = members.map { Array("\"\($0.name)\"".utf8) }
    let added = Array(members.map { "\"\($0.name)\": \($0.value)" }.joined(separator: ", ").utf8)
    let all = Self.split(self.members)
    let others = all.filter { member in !quoted.contains { member.starts(with: $0) } }
    let kept = others.count == all.count ? [self.members[...]] : others
    self.members = Array((kept.filter { !$0.isEmpty } + [added[...]]).joined(separator: Array(", ".utf8)))
  }

  /// Removes members that are null.
  mutating func removeNulls() {
    let null = Array(":null".utf8)
    guard members.count >= null.count else { return }
    let all = Self.split(members)
    let others = all.filter { !$0.suffix(null.count).elementsEqual(null) }
    if others.count < all.count { members = Array(others.joined(separator: Array(", ".utf8))) }
  }

  /// The members of an object without its braces, trimmed at the front.
  private static func split(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var found: [ArraySlice<UInt8>] = []
    var start = bytes.startIndex
    var depth = 0
    var isString = false
    var isEscaped = false
    func add(_ end: Int) {
      let member = bytes[start..<end].drop { $0 <= 0x20 }
      if !member.isEmpty { found.append(member) }
    }
    for (index, byte) in bytes.enumerated() {
      if isEscaped {
        isEscaped = false
      } else if isString {
        if byte == 0x5C { isEscaped = true } else if byte == 0x22 { isString = false }
      } else {
        switch byte {
        case 0x22: isString = true
        case 0x5B, 0x7B: depth += 1
        case 0x5D, 0x7D: depth -= 1
        case 0x2C where depth == 0:
          add(index)
          start = index + 1
        default: break
        }
      }
    }
    add(bytes.endIndex)
    return found
  }
}
