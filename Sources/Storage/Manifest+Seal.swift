import Primitives

/// The seal: a member `manifest_xxh3` with the XXH3-64 of the manifest's own text, in which the 16 digits of the seal stand as zeros.
/// A change of any byte of `manifest.json` shows, and no reader needs a canonical form of JSON to see it.
extension Manifest {
  /// The seal's name.
  static let sealName = "manifest_xxh3"
  private static let openSeal = String(repeating: "0", count: 16)

  private struct Sealed: Encodable {
    var format: String
    var tool: String
    var inputs: [String: String]
    var configuration: JSONValue
    var counts: [String: Int]
    var files: [FileRecord]
    var manifest_xxh3: String
  }

  /// Writes `folder/manifest.json`, sealed, all or nothing.
  package func write(folder: String) throws {
    let path = folder + "/" + Self.fileName
    var text = try JSONFile.text(
      Sealed(
        format: format, tool: tool, inputs: inputs, configuration: configuration, counts: counts, files: files,
        manifest_xxh3: Self.openSeal),
      place: path)
    guard let digits = Self.sealDigits(in: text) else { throw WeirError(path, "cannot be sealed") }
    text.replaceSubrange(digits, with: Array(Checksum.hex(Checksum.xxh3(text)).utf8))
    try Files.write(text, to: path)
  }

  /// What is wrong with the seal of a manifest's text, nil where it is right.
  /// - Parameter text: the bytes of `manifest.json`.
  package static func sealProblem(of text: [UInt8]) -> String? {
    guard let digits = sealDigits(in: text) else { return "has no \(sealName): it was changed or written by something else" }
    let sealed = String(decoding: text[digits], as: UTF8.self)
    var open = text
    open.replaceSubrange(digits, with: Array(openSeal.utf8))
    let found = Checksum.hex(Checksum.xxh3(open))
    return found == sealed ? nil : "was changed: its checksum is \(found), its \(sealName) says \(sealed)"
  }

  /// Where the 16 digits of the last member named as the seal are. Members are sorted, so that only `tool` comes after it, and a
  /// quotation mark within a string is never bare.
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
