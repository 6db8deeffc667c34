/// What the first bytes of a file's content, decompressed, say about it.
enum FileContent {
  /// Bytes that tell one kind of content from another.
  static let headBytes = 4_096

  private struct Signature {
    let offset: Int
    let bytes: [UInt8]
    let name: String
    let remedy: String?

    init(_ name: String, _ bytes: [UInt8], at offset: Int = 0, remedy: String? = nil) {
      (self.offset, self.bytes, self.name, self.remedy) = (offset, bytes, name, remedy)
    }

    init(_ name: String, _ text: String, at offset: Int = 0, remedy: String? = nil) {
      self.init(name, Array(text.utf8), at: offset, remedy: remedy)
    }

    func matches(_ head: [UInt8]) -> Bool { head.dropFirst(offset).starts(with: bytes) }
  }

  private static func decompress(_ program: String) -> String { "decompress it: \(program) -dc FILE | weir read" }
  private static let utf8 = "convert it: iconv -f UTF-16 -t UTF-8 FILE | weir read"
  private static let extract = "extract the documents in it"

  private static let signatures = [
    Signature("UTF-32 text", [0xFF, 0xFE, 0, 0], remedy: utf8.replacing("16", with: "32")),
    Signature("UTF-32 text", [0, 0, 0xFE, 0xFF], remedy: utf8.replacing("16", with: "32")),
    Signature("UTF-16 text", [0xFF, 0xFE], remedy: utf8), Signature("UTF-16 text", [0xFE, 0xFF], remedy: utf8),
    Signature("UTF-16 text", [0x7B, 0], remedy: utf8), Signature("UTF-16 text", [0, 0x7B], remedy: utf8),
    Signature("UTF-16 text", [0x5B, 0], remedy: utf8), Signature("UTF-16 text", [0, 0x5B], remedy: utf8),
    Signature("compressed with xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], remedy: decompress("xz")),
    Signature("compressed with bzip2", "BZh", remedy: decompress("bzip2")),
    Signature("compressed with lz4", [0x04, 0x22, 0x4D, 0x18], remedy: decompress("lz4")),
    Signature("compressed with lzip", "LZIP", remedy: decompress("lzip")),
    Signature("compressed with compress", [0x1F, 0x9D], remedy: decompress("gzip")),
    Signature("compressed twice", [0x1F, 0x8B], remedy: "decompress it once before weir reads it"),
    Signature("compressed twice", [0x28, 0xB5, 0x2F, 0xFD], remedy: "decompress it once before weir reads it"),
    Signature("a tar archive", "ustar", at: 257, remedy: extract), Signature("a zip archive", "PK\u{3}\u{4}", remedy: extract),
    Signature("a 7z archive", [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], remedy: extract), Signature("a rar archive", "Rar!", remedy: extract),
    Signature("a WARC archive", "WARC/", remedy: "extract the text in it"), Signature("a PDF", "%PDF-", remedy: "extract the text in it"),
    Signature("Parquet", "PAR1", remedy: "give it as an uncompressed file, not through a pipe"),
    Signature("an Arrow file", "ARROW1"), Signature("an ORC file", "ORC"), Signature("an Avro file", "Obj\u{1}"),
    Signature("an SQLite database", "SQLite format 3"), Signature("a NumPy array", [0x93] + Array("NUMPY".utf8)),
    Signature("an HDF5 file", [0x89] + Array("HDF".utf8)), Signature("a GGUF model", "GGUF"),
    Signature("a Megatron-LM index", "MMIDIDX"), Signature("a PNG image", [0x89] + Array("PNG".utf8)),
    Signature("a JPEG image", [0xFF, 0xD8, 0xFF]), Signature("a GIF image", "GIF8"), Signature("a program", [0x7F] + Array("ELF".utf8)),
    Signature("a safetensors file", Array("\0\0{\"".utf8), at: 6),
  ]

  /// Content that is not documents: what it is, and what to do about it; nil for anything else.
  /// - Parameters:
  ///   - head: the first bytes, at least `headBytes` unless there are fewer.
  ///   - named: whether the file's name says that it contains text or JSON Lines.
  static func foreign(_ head: [UInt8], named: Bool) -> (reason: String, remedy: String)? {
    let remedy = "give only documents, such as 'FOLDER/*.jsonl'"
    if let found = signatures.first(where: { $0.matches(head) }) {
      return (found.name.hasPrefix("compressed") ? "is \(found.name)" : "is \(found.name), not documents", found.remedy ?? remedy)
    }
    return !named && head.contains(0) ? ("contains binary data, not documents", remedy) : nil
  }

  /// Whether JSON values have to be brought onto one line each: an array of objects, or objects that span several lines.
  static func needsLines(_ head: [UInt8]) -> Bool {
    var rest = (head.starts(with: [0xEF, 0xBB, 0xBF]) ? head.dropFirst(3) : head[...]).drop(while: isBlank)
    guard let first = rest.popFirst() else { return false }
    let next = rest.first { !isBlank($0) }
    if first == 0x7B { return rest.first { !isBlank($0) || $0 == 0x0A } == 0x0A && (next == 0x22 || next == 0x7D) }
    return first == 0x5B && (next == 0x7B || next == 0x5D)
  }

  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
}
