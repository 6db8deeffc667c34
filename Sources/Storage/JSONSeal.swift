import Primitives

/// The seal of a JSON file: a member with the XXH3-64 of the text of the file, with zeros in place of the 16 digits of the seal. It reveals a change
/// to any byte, and checking it takes no canonical form of JSON.
struct JSONSeal {
  static let manifest = JSONSeal(name: "manifest_xxh3")
  /// The seal of single files.
  static let file = JSONSeal(name: "xxh3")
  /// The digits while the checksum is computed.
  static let open = String(repeating: "0", count: 16)

  /// The name of the member.
  let name: String

  /// Puts the checksum into a text with an open seal.
  func close(_ text: [UInt8]) -> [UInt8] {
    guard let digits = digits(in: text) else { preconditionFailure("the text contains the seal") }
    var text = text
    text.replaceSubrange(digits, with: Array(Checksum.hex(Checksum.xxh3(text)).utf8))
    return text
  }

  /// Whether a text has the seal, valid or not.
  func isPresent(in text: [UInt8]) -> Bool { digits(in: text) != nil || (try? JSONDocument(text, place: name))?.root[name] != nil }

  /// What is wrong with the seal in a text; nil where it is valid.
  func problem(of text: [UInt8]) -> String? {
    guard let digits = digits(in: text) else {
      return isPresent(in: text)
        ? "its \(name) is not 16 hexadecimal digits: it was changed" : "has no \(name): it was changed, or was not written by weir"
    }
    let sealed = String(decoding: text[digits], as: UTF8.self)
    var open = text
    open.replaceSubrange(digits, with: Array(Self.open.utf8))
    let found = Checksum.hex(Checksum.xxh3(open))
    return found == sealed ? nil : "was changed: its checksum is \(found), but its \(name) is \(sealed)"
  }

  /// The position of the 16 digits in the last member with the name of the seal. Members are sorted, so that few others follow, and quotation
  /// marks within strings are escaped.
  private func digits(in text: [UInt8]) -> Range<Int>? {
    let name = Array("\"\(name)\"".utf8)
    guard text.count > name.count + 20 else { return nil }
    var start = text.count - name.count
    while start >= 0 {
      if text[start] == name[0], text[start..<start + name.count].elementsEqual(name) { break }
      start -= 1
    }
    guard start >= 0 else { return nil }
    var position = start + name.count
    func skip(_ wanted: (UInt8) -> Bool) { while position < text.count, wanted(text[position]) { position += 1 } }
    skip { $0 == 0x20 || $0 == 0x3A || $0 == 0x0A }
    guard position + 18 <= text.count, text[position] == 0x22, text[position + 17] == 0x22 else { return nil }
    return position + 1..<position + 17
  }
}

/// A value with an open seal.
struct SealedValue<Value: Encodable>: Encodable {
  private enum CodingKeys: String, CodingKey { case xxh3 }

  let value: Value

  func encode(to encoder: any Encoder) throws {
    try value.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(JSONSeal.open, forKey: .xxh3)
  }
}
