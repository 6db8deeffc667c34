/// What the first bytes of a file's content, decompressed, say about it.
enum FileContent {
  /// Bytes that tell one kind of content from another.
  static let headBytes = 4_096

  private struct Signature {
    let offset: Int
    let bytes: [UInt8]
    let name: String
    let remedy: String?
    /// The program that makes documents of it, from standard input to standard output.
    let program: String?

    init(_ name: String, _ bytes: [UInt8], at offset: Int = 0, remedy: String? = nil, program: String? = nil) {
      (self.offset, self.bytes, self.name, self.remedy, self.program) = (offset, bytes, name, remedy, program)
    }

    init(_ name: String, _ text: String, at offset: Int = 0, remedy: String? = nil, program: String? = nil) {
      self.init(name, Array(text.utf8), at: offset, remedy: remedy, program: program)
    }

    func matches(_ head: [UInt8]) -> Bool { head.dropFirst(offset).starts(with: bytes) }
  }

  private static let utf8 = "iconv -f UTF-16 -t UTF-8"
  private static let extract = "extract the documents in it"

  private static let signatures = [
    Signature("UTF-32 text", [0xFF, 0xFE, 0, 0], program: utf8.replacing("16", with: "32")),
    Signature("UTF-32 text", [0, 0, 0xFE, 0xFF], program: utf8.replacing("16", with: "32")),
    Signature("UTF-16 text", [0xFF, 0xFE], program: utf8), Signature("UTF-16 text", [0xFE, 0xFF], program: utf8),
    Signature("UTF-16 text", [0x7B, 0], program: utf8), Signature("UTF-16 text", [0, 0x7B], program: utf8),
    Signature("UTF-16 text", [0x5B, 0], program: utf8), Signature("UTF-16 text", [0, 0x5B], program: utf8),
    Signature("compressed with xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], program: "xz -dc"),
    Signature("compressed with bzip2", "BZh", program: "bzip2 -dc"),
    Signature("compressed with lz4", [0x04, 0x22, 0x4D, 0x18], program: "lz4 -dc"),
    Signature("compressed with lzip", "LZIP", program: "lzip -dc"),
    Signature("compressed with compress", [0x1F, 0x9D], program: "gzip -dc"),
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
  ///   - head: the first bytes, decompressed: at least `headBytes` unless there are fewer.
  ///   - path: the file.
  ///   - kind: what its name says that it contains.
  static func foreign(_ head: [UInt8], path: String, kind: LineBlock.Kind?) -> (reason: String, remedy: String)? {
    let remedy = "give only documents, such as 'FOLDER/*.jsonl'"
    /// The command that makes documents of the file.
    func convert(_ program: String) -> String {
      let file = path == "-" ? "…" : path
      let outer = path.hasSuffix(".gz") ? "gzip -dc \(file) | " : path.hasSuffix(".zst") ? "zstd -dc \(file) | " : ""
      return "convert it: " + (outer.isEmpty ? "\(program) \(file) | weir read" : "\(outer)\(program) | weir read")
    }
    if let found = signatures.first(where: { $0.matches(head) }) {
      return (
        found.name.hasPrefix("compressed") ? "is \(found.name)" : "is \(found.name), not documents",
        found.program.map(convert) ?? found.remedy ?? remedy
      )
    }
    let zeros = head.indices.filter { head[$0] == 0 }
    guard let first = zeros.first, kind != .lines else { return nil }
    // Without a mark, a text in the Latin script gives itself away: every second byte, or three of four, are zero.
    if head.count >= 8, zeros.count * 10 >= head.count * 7, zeros.count * 10 <= head.count * 8 {
      return ("is UTF-32 text, not documents", convert(utf8.replacing("16", with: first == 0 ? "32BE" : "32LE")))
    }
    if head.count >= 8, zeros.count * 5 >= head.count * 2, zeros.allSatisfy({ $0 % 2 == first % 2 }) {
      return ("is UTF-16 text, not documents", convert(utf8.replacing("16", with: first % 2 == 0 ? "16BE" : "16LE")))
    }
    return kind == nil || zeros.count * 8 > head.count ? ("contains binary data, not documents", remedy) : nil
  }

  /// Files that are refused because of their names: what they are, and what to do about it; nil for all others.
  static func foreign(name path: String) -> (reason: String, remedy: String)? {
    let name = path.lowercased()
    if name.hasSuffix(".parquet") { return ("is named .parquet, but does not begin like Parquet", "check the file") }
    guard let ending = [".csv", ".tsv"].first(where: { name.hasSuffix($0) || name.hasSuffix($0 + ".gz") || name.hasSuffix($0 + ".zst") })
    else { return nil }
    return (
      "is a table (\(ending)), not documents",
      "convert it: duckdb -c \"copy (from read_csv('\(path)')) to 'documents.jsonl' (format json)\", and name its columns by "
        + "--text-field and --id-field"
    )
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
