// Masks e-mail and public IPv4 addresses as FineWeb does (Penedo et al. 2406.17557, §3.7; datatrove's PIIFormatter with its defaults). The
// patterns and replacements are the same, but the cycle of replacements restarts with each document, so that a text does not depend on the
// documents before it. One pass each, in linear time.
//
// Strict masking (ours) leaves more of a text alone: package versions (`react@18.2.0`), dotted runs of more than four numbers
// (`1.3.6.1.4.1.311`) and version numbers (`v1.2.3.4`). It also masks public IPv6 addresses and mail addresses with letters beyond ASCII.

struct PersonalData {
  private let isStrict: Bool
  /// E-mail addresses masked in the last text.
  private(set) var emails = 0
  /// Public IP addresses masked in the last text.
  private(set) var addresses = 0

  private static let emailReplacements = ["email@example.com", "firstname.lastname@example.org"].map { Array($0.utf8) }
  private static let addressReplacements = [
    "22.214.171.124", "126.96.36.199", "188.8.131.52", "184.108.40.206", "220.127.116.11", "18.104.22.168",
  ].map { Array($0.utf8) }

  init(isStrict: Bool = false) { self.isStrict = isStrict }

  /// The masked text; nil if there is nothing to mask.
  mutating func mask(_ text: [UInt8]) -> [UInt8]? {
    emails = 0
    addresses = 0
    var result = maskEmails(text)
    if let masked = maskAddresses(result ?? text) { result = masked }
    if isStrict, let masked = maskLongAddresses(result ?? text) { result = masked }
    return result
  }

  // MARK: e-mail

  private mutating func maskEmails(_ text: [UInt8]) -> [UInt8]? {
    var out: [UInt8] = []
    var done = 0
    var index = 0
    while let at = text[index...].firstIndex(of: 0x40) {
      index = at + 1
      let found =
        isStrict
        ? MailAddress(in: text, at: at, from: done).map { ($0.start, $0.end) }
        : Self.localStart(text, at, from: done).flatMap { start in Self.domainEnd(text, at + 1).map { (start, $0) } }
      guard let (start, end) = found else { continue }
      out += text[done..<start]
      out += Self.emailReplacements[emails % Self.emailReplacements.count]
      emails += 1
      done = end
      index = end
    }
    guard emails > 0 else { return nil }
    return out + text[done...]
  }

  /// The start of the local part before `at`: atoms separated by single dots, from the first word boundary.
  private static func localStart(_ text: [UInt8], _ at: Int, from low: Int) -> Int? {
    var start = at
    while start > low, isAtom(text[start - 1]) || (text[start - 1] == 0x2E && start < at && isAtom(text[start])) { start -= 1 }
    while start < at {
      if isAtom(text[start]), isWord(text, before: start) != (isAlphanumeric(text[start]) || text[start] == 0x5F) { return start }
      start += 1
    }
    return nil
  }

  /// Whether a letter, a digit or `_` precedes `index`.
  private static func isWord(_ text: [UInt8], before index: Int) -> Bool {
    guard index > 0 else { return false }
    if text[index - 1] < 0x80 { return isAlphanumeric(text[index - 1]) || text[index - 1] == 0x5F }
    var start = index - 1
    while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
    switch String(decoding: text[start..<index], as: UTF8.self).unicodeScalars.first?.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber, .letterNumber, .otherNumber:
      return true
    default: return false
    }
  }

  private static func domainEnd(_ text: [UInt8], _ start: Int) -> Int? {
    if start < text.count, text[start] == 0x5B { return literalEnd(text, start + 1) }
    var labels = 0
    var index = start
    while true {
      guard index < text.count, isAlphanumeric(text[index]) else { return nil }
      var end = index
      while end < text.count, isAlphanumeric(text[end]) || text[end] == 0x2D { end += 1 }
      var last = end
      while text[last - 1] == 0x2D { last -= 1 }
      labels += 1
      if last == end, end + 1 < text.count, text[end] == 0x2E, isAlphanumeric(text[end + 1]) {
        index = end + 1
        continue
      }
      return labels > 1 ? last : nil
    }
  }

  /// The end of `1.2.3.4]`.
  private static func literalEnd(_ text: [UInt8], _ start: Int) -> Int? {
    guard let end = addressEnd(text, start), end < text.count, text[end] == 0x5D else { return nil }
    return end + 1
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: false
    }
  }

  private static func isAtom(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2F...0x39, 0x3D, 0x3F, 0x41...0x5A, 0x5E...0x7E: true
    default: false
    }
  }

  // MARK: IP

  private mutating func maskAddresses(_ text: [UInt8]) -> [UInt8]? {
    var out: [UInt8] = []
    var done = 0
    var index = 0
    while let dot = text[index...].firstIndex(of: 0x2E) {
      // An address begins one to three digits before its first dot.
      var start = max(index, dot - 3)
      while start < dot, !text[start..<dot].allSatisfy({ 0x30...0x39 ~= $0 }) { start += 1 }
      var found: Int?
      while start < dot {
        found = Self.addressEnd(text, start)
        if found != nil { break }
        start += 1
      }
      guard let end = found else {
        index = dot + 1
        continue
      }
      index = end
      guard Self.isPublic(text[start..<end]), !isStrict || Self.isAlone(text, start, end) else { continue }
      out += text[done..<start]
      out += Self.addressReplacements[addresses % Self.addressReplacements.count]
      addresses += 1
      done = end
    }
    guard addresses > 0 else { return nil }
    return out + text[done...]
  }

  /// Whether neither letters nor further numbers are joined to the address, as in versions and object identifiers.
  private static func isAlone(_ text: [UInt8], _ start: Int, _ end: Int) -> Bool {
    func isJoined(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == 0x5F || byte >= 0x80 }
    if start > 0, isJoined(text[start - 1]) || (text[start - 1] == 0x2E && start > 1 && isJoined(text[start - 2])) { return false }
    guard end < text.count else { return true }
    if isJoined(text[end]) { return false }
    return !((text[end] == 0x2E || text[end] == 0x2D) && end + 1 < text.count && isJoined(text[end + 1]))
  }

  // MARK: IPv6

  /// Addresses for documentation (RFC 3849).
  private static let longReplacements = ["2001:db8::1", "2001:db8::2"].map { Array($0.utf8) }

  private mutating func maskLongAddresses(_ text: [UInt8]) -> [UInt8]? {
    var out: [UInt8] = []
    var done = 0, index = 0, count = 0
    while let colon = text[index...].firstIndex(of: 0x3A) {
      var start = colon
      while start > max(done, colon - 4), Self.isHex(text[start - 1]) { start -= 1 }
      var end = colon
      while end < text.count, Self.isHex(text[end]) || text[end] == 0x3A { end += 1 }
      index = end
      // A colon after an address is punctuation.
      while end > start, text[end - 1] == 0x3A, !text[start..<end].suffix(2).elementsEqual([0x3A, 0x3A]) { end -= 1 }
      guard Self.isPublicLong(text[start..<end]), Self.isAlone(text, start, end) else { continue }
      out += text[done..<start]
      out += Self.longReplacements[count % Self.longReplacements.count]
      count += 1
      done = end
    }
    addresses += count
    return count > 0 ? out + text[done...] : nil
  }

  /// Whether a text is an IPv6 address of global unicast (2000::/3) that is not for documentation.
  private static func isPublicLong(_ address: ArraySlice<UInt8>) -> Bool {
    let text = String(decoding: address, as: UTF8.self)
    var groups = text.split(separator: ":", omittingEmptySubsequences: false)
    let gap = text.contains("::")
    if gap {
      guard !text.contains(":::"), text.ranges(of: "::").count == 1 else { return false }
      if text.hasSuffix("::") { groups.removeLast() }
    }
    let present = groups.filter { !$0.isEmpty }
    guard gap ? present.count <= 7 && groups.count - present.count <= 1 : present.count == 8 && groups.count == 8,
      present.allSatisfy({ $0.count <= 4 }), groups[0].count == 4, let first = UInt16(groups[0], radix: 16), first >> 13 == 1
    else { return false }
    return !(first == 0x2001 && groups.count > 1 && UInt16(groups[1], radix: 16) == 0xDB8)
  }

  private static func isHex(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
    default: false
    }
  }

  // MARK: IPv4

  /// The end of four numbers up to 255 separated by dots; the last number takes as many digits as it can.
  private static func addressEnd(_ text: [UInt8], _ start: Int) -> Int? {
    var index = start
    for part in 0..<4 {
      var digits = 0
      while digits < 3, index + digits < text.count, 0x30...0x39 ~= text[index + digits] { digits += 1 }
      if digits == 3, !isOctet(text, index) {
        guard part == 3 else { return nil }
        digits = 2
      }
      guard digits > 0 else { return nil }
      index += digits
      guard part < 3 else { break }
      guard index < text.count, text[index] == 0x2E else { return nil }
      index += 1
    }
    return index
  }

  /// Whether three digits are at most 255.
  private static func isOctet(_ text: [UInt8], _ index: Int) -> Bool {
    Int(text[index] - 0x30) * 100 + Int(text[index + 1] - 0x30) * 10 + Int(text[index + 2] - 0x30) <= 255
  }

  /// Whether an address is public (IANA's special-purpose registry) and has no leading zeros.
  private static func isPublic(_ address: ArraySlice<UInt8>) -> Bool {
    var octets: [Int] = []
    for part in address.split(separator: 0x2E) {
      if part.count > 1, part.first == 0x30 { return false }
      octets.append(part.reduce(0) { $0 * 10 + Int($1 - 0x30) })
    }
    guard octets.count == 4 else { return false }
    switch (octets[0], octets[1], octets[2]) {
    case (0, _, _), (10, _, _), (127, _, _), (169, 254, _), (172, 16...31, _), (192, 168, _), (100, 64...127, _), (192, 0, 2),
      (198, 18...19, _),
      (198, 51, 100), (203, 0, 113), (240...255, _, _):
      return false
    case (192, 0, 0): return octets[3] == 9 || octets[3] == 10
    default: return true
    }
  }
}
