import CZstd
import Foundation
import Pipeline
import Primitives

@testable import Artifacts
@testable import Documents
@testable import Export
@testable import Storage
@testable import Tokens

/// A reader of untrusted bytes.
enum FuzzTarget: String, CaseIterable {
  case jsonl, gzip, zstd, stream, tokens, manifest, descriptor, safetensors, index, arrays, json, filters, duplicates, rows, order, template

  func read(_ input: [UInt8], _ file: FuzzFile) throws {
    switch self {
    case .jsonl: try Self.lines(input, file)
    case .gzip:
      file.put([0x1F, 0x8B] + input)
      try Self.readThrough(file.path)
    case .zstd:
      file.put([0x28, 0xB5, 0x2F, 0xFD] + input)
      try Self.readThrough(file.path)
    case .stream:
      var composer = StreamComposer(input)
      file.put(composer.compose(kind: .documents))
      try Self.readThrough(file.path)
    case .tokens:
      var composer = StreamComposer(input)
      file.put(composer.compose(kind: .tokens))
      let reader = try TokenStreamReader(path: file.path)
      while let batch = try reader.next(tokens: 100) {
        if batch.contains(where: { $0.tokens.contains { $0 >= UInt32(reader.header.vocabulary) } }) {
          finding("a token above the vocabulary")
        }
      }
      try reader.finish()
    case .manifest: try Self.manifest(input)
    case .descriptor:
      file.put(input)
      allowingErrors { _ = try Mixture.read(from: file.path) }
      _ = try JSONFile.read(JSONValue.self, from: file.path)
    case .safetensors:
      file.put(Self.framed(input))
      let tensors = try SafetensorsFile(file.path)
      for name in tensors.names {
        try tensors.withBytes(name) { bytes in if bytes.reduce(0, &+) == 1 { blackHole += 1 } }
        _ = try? tensors.floats(name)
      }
    case .index:
      file.put(input)
      let index = try MegatronIndex(MappedFile(file.path), dataBytes: Int(input.last ?? 0))
      if index.lengths.contains(where: { $0 < 0 }) { finding("a negative length") }
    case .arrays:
      file.put(input)
      allowingErrors { _ = try NumPyArray(MappedFile(file.path)) }
      allowingErrors { try NumPyMatrix(file.path).withVectors { if $0.reduce(0, +) == 1 { blackHole += 1 } } }
      allowingErrors { _ = try LLMTokens(MappedFile(file.path)) }
      let shard = try MDSShard(MappedFile(file.path))
      for sample in 0..<shard.count { blackHole += shard.bytes(of: sample) }
    case .json: try Self.json(input)
    case .filters: try Self.filters(input)
    case .duplicates: try Self.duplicates(input)
    case .rows: try Self.rows(input)
    case .order: try Self.order(input, file)
    case .template: try Self.template(input)
    }
  }

  /// Parses lines and writes the documents back: the block size has no effect, every line is counted, and accepted documents survive the
  /// round trip.
  private static func lines(_ input: [UInt8], _ file: FuzzFile) throws {
    guard input.count > 2 else { return }
    let content = Array(input[2...])
    file.put(content)
    let size = [1, 7, 64, 1 << 14][Int(input[0] & 3)]
    let limit = input[0] & 4 == 0 ? 1 << 30 : 32 + Int(input[1] & 63)
    let parse = input[1] & 0x80 == 0 ? ParseDocuments() : ParseDocuments(textField: "content", idField: "url")
    func documents(_ blockSize: Int) throws -> ([Document], Account) {
      let source = try DocumentSource(paths: [file.path], blockSize: blockSize, limit: limit)
      var all: [Document] = []
      var tally = Tally(stage: parse.name ?? "", keepsRejects: true)
      while let block = try source.next() { all += try parse.apply(block, tally: &tally) }
      try source.finish()
      return (all, tally.account)
    }
    let (found, account) = try documents(size)
    let (others, other) = try documents(1 << 12)
    if found != others || account.input != other.input { finding("the result depends on the block size") }
    if !account.isBalanced || account.output != found.count { finding("a line is lost") }
    let written = SerializeDocuments.lines(found)
    let copies = found.map { Document(id: $0.id, text: $0.text, source: $0.source, members: $0.members, origin: $0.origin) }
    if SerializeDocuments.lines(copies) != written { finding("the output depends on how the text was escaped") }
    var tally = Tally(stage: "read")
    let again = try ParseDocuments().apply(LineBlock(path: "x", firstLine: 1, content: written), tally: &tally)
    if again != found { finding("a document does not survive the round trip") }
  }

  /// Reads decompressed content to its end, or up to 1 MB.
  private static func readThrough(_ path: String) throws {
    let reader = try ByteReader(path)
    var total = 0
    while total < 1 << 20 {
      let count = try room.withUnsafeMutableBytes { try reader.read(into: $0) }
      if count == 0 { return try reader.finish(records: 0) }
      total += count
    }
  }

  private static func manifest(_ input: [UInt8]) throws {
    let descriptor = open(folder + "/manifest.json", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { close(descriptor) }
    guard input.withUnsafeBytes({ write(descriptor, $0.baseAddress, $0.count) }) == input.count else { fatalError("cannot write") }
    _ = Manifest.sealProblem(of: input)
    let manifest = try Manifest.read(folder: folder)
    _ = manifest.fingerprint
    for file in manifest.files where file.name.hasPrefix("/") || file.name.contains("..") && file.name.split(separator: "/").contains("..")
    {
      finding("a file outside the folder")
    }
    if manifest.files.count < 8 { blackHole += try manifest.verifyFiles(in: folder).count }
  }

  private static func json(_ input: [UInt8]) throws {
    func walk(_ node: JSONNode) {
      blackHole += node.count + (node.string?.utf8.count ?? 0) + (node.double == 1 ? 1 : 0)
      node.forEachElement { walk($0) }
      node.forEachMember {
        blackHole += $0.count; walk($1)
      }
    }
    if let lenient = try? JSONDocument(input, place: "x", lenient: true) { walk(lenient.root) }
    walk(try JSONDocument(input, place: "x").root)
  }

  /// The input as the header of a safetensors file: three times in four behind its correct length.
  private static func framed(_ input: [UInt8]) -> [UInt8] {
    guard let first = input.first, first & 3 != 0 else { return input }
    let end = input.lastIndex(of: 0x7D).map { $0 + 1 } ?? input.count
    return withUnsafeBytes(of: UInt64(max(0, end - 1)).littleEndian) { Array($0) } + input[1...]
  }
}

/// Results are added here, so that the compiler cannot remove the reads.
nonisolated(unsafe) var blackHole = 0
nonisolated(unsafe) private var room = [UInt8](repeating: 0, count: 1 << 16)
private let folder: String = {
  let path = "/dev/shm/weir-fuzz-folder-\(getpid())"
  mkdir(path, 0o700)
  atexit {
    unlink("/dev/shm/weir-fuzz-folder-\(getpid())/manifest.json")
    rmdir("/dev/shm/weir-fuzz-folder-\(getpid())")
  }
  return path
}()
