import Primitives

/// The seal of a manifest: the member `manifest_xxh3`, the XXH3-64 of the text of `manifest.json` with zeros in place of the 16 digits of the seal.
/// It reveals a change to any byte, and checking it takes no canonical form of JSON.
extension Manifest {
  /// The name of the member.
  static let sealName = "manifest_xxh3"
  private static let openSeal = String(repeating: "0", count: 16)

  /// Writes `folder/manifest.json` with its seal, atomically.
  package func write(folder: String) throws {
    let path = folder + "/" + Self.fileName
    var text = try JSONFile.text(members(tool: tool, seal: Self.openSeal), place: path)
    guard let digits = Self.sealDigits(in: text) else { preconditionFailure("the text contains the seal") }
    text.replaceSubrange(digits, with: Array(Checksum.hex(Checksum.xxh3(text)).utf8))
    try Files.write(text, to: path)
  }

  /// What is wrong with the seal in the text of `manifest.json`; nil where it is valid.
  package static func sealProblem(of text: [UInt8]) -> String? {
    guard let digits = sealDigits(in: text) else { return "has no \(sealName): it was changed, or was not written by weir" }
    let sealed = String(decoding: text[digits], as: UTF8.self)
    var open = text
    open.replaceSubrange(digits, with: Array(openSeal.utf8))
    let found = Checksum.hex(Checksum.xxh3(open))
    return found == sealed ? nil : "was changed: its checksum is \(found), but its \(sealName) is \(sealed)"
  }

  /// The position of the 16 digits in the last member with the name of the seal. Members are sorted, so that only `tool` follows, and quotation
  /// marks within strings are escaped.
  private static func sealDigits(in text: [UInt8]) -> Range<Int>? {
    let name = Array("\"\(sealName)\"".utf8)
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
