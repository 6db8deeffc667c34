import Artifacts
import Documents
import Export
import Foundation
import Primitives
import Storage
import Tokens

/// What a file of ours is, told by its name and its first bytes, never by its name alone where the content can tell.
enum FileKind: Equatable {
  /// A JSON object of a kind that we know, such as `mixture`.
  case json(String)
  /// JSON Lines, plain or compressed.
  case jsonLines
  /// A weir stream of token documents.
  case tokenStream
  /// Something else that is compressed: its checksums can be checked.
  case compressed
  /// A safetensors file.
  case safetensors
  /// A Megatron index.
  case index
  /// The tokens that belong to a Megatron index.
  case tokens
  /// Tokens behind llm.c's header.
  case llmTokens
  /// Tokens behind numpy's header.
  case numpy
  /// A shard of MosaicML's.
  case mds

  /// What messages call it.
  var name: String {
    switch self {
    case .json(let name): name
    case .jsonLines: "JSON Lines"
    case .tokenStream: "token stream"
    case .compressed: "compressed file"
    case .safetensors: "safetensors"
    case .index: "Megatron index"
    case .tokens: "tokens of a Megatron index"
    case .llmTokens: "llm.c tokens"
    case .numpy: "numpy array"
    case .mds: "MDS shard"
    }
  }

  /// The kinds, for messages.
  static let known =
    "token datasets, window vectors, cluster trees and assignments, tokenizers, models, checkpoints, runs, mixtures, plans, summaries, "
    + "step states, .jsonl(.gz, .zst), .safetensors, .idx, .bin, .npy and .mds"

  /// The kind of a file; nil where it is none of ours.
  /// - Throws: `WeirError` where the file cannot be read.
  static func of(_ path: String) throws -> FileKind? {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let head = try head(of: path)
    if head.starts(with: MegatronIndex.magic) || name.hasSuffix(".idx") { return .index }
    if name.hasSuffix(".safetensors") { return .safetensors }
    if name.hasSuffix(".bin") {
      if LLMTokens.isHead(head) { return .llmTokens }
      return Files.exists(String(path.dropLast(4)) + ".idx") ? .tokens : nil
    }
    if name.hasSuffix(".npy"), head.starts(with: NumPyArray.magic) { return .numpy }
    if name.hasSuffix(".mds") { return .mds }
    if isCompressed(head) { return try compressedKind(path, name: name) }
    if isJSONLines(name) { return .jsonLines }
    if name.hasSuffix(".json") { return try jsonKind(path, name: name).map { .json($0) } }
    return nil
  }

  /// The first bytes of a file, at most 16.
  static func head(of path: String) throws -> [UInt8] {
    let file = try MappedFile(path)
    return file.withBytes { Array($0.prefix(16)) }
  }

  static func isCompressed(_ head: [UInt8]) -> Bool {
    if head.starts(with: [0x1F, 0x8B]) || head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return true }
    return head.count >= 4 && head[0] & 0xF0 == 0x50 && head[1...3].elementsEqual([0x2A, 0x4D, 0x18])
  }

  /// A damaged file is of the kind that its name says.
  private static func compressedKind(_ path: String, name: String) throws -> FileKind {
    guard let reader = try? ByteReader(path) else { return isJSONLines(name) ? .jsonLines : .compressed }
    switch reader.kind {
    case .tokens: return .tokenStream
    case .documents: return .jsonLines
    case nil: break
    }
    if isJSONLines(name) { return .jsonLines }
    var first: UInt8 = 0
    let count = withUnsafeMutableBytes(of: &first) { (try? reader.read(into: $0)) ?? 0 }
    return count == 1 && first == 0x7B ? .jsonLines : .compressed
  }

  private static func isJSONLines(_ name: String) -> Bool {
    [".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".json.gz", ".json.zst"].contains { name.hasSuffix($0) }
  }

  /// The kind of a JSON file; files whose name is one of ours are of that kind even if they do not parse any more.
  private static func jsonKind(_ path: String, name: String) throws -> String? {
    let byName = names[name]
    guard byName == nil || byName == "report" else { return byName }
    guard let document = try? JSONDocument(Files.read(path), place: path) else { return byName }
    return kind(of: document.root) ?? byName
  }

  /// Names that only files of ours (or of model folders) have.
  private static let names = [
    "manifest.json": "manifest", "run.json": "run description", "report.json": "report", "summary.json": "summary",
    "state.json": "checkpoint state", "split.json": "split", "tree.json": "cluster tree shape", "embedder.json": "embedder",
    "tokenizer.json": "tokenizer",
    "tokenizer_config.json": "tokenizer configuration", "special_tokens_map.json": "special tokens", "config.json": "model configuration",
    "generation_config.json": "generation configuration", "model.safetensors.index.json": "index of weights",
  ]

  /// The kind of a JSON object by its members.
  static func kind(of root: JSONNode) -> String? {
    if let format = root["format"]?.string, format.hasPrefix("weir.") { return words(format) }
    func has(_ members: String...) -> Bool { members.allSatisfy { root[$0] != nil } }
    if has("key", "command", "outputs", "accounts") { return "step state" }
    if root["model"]?["vocab"] != nil { return "tokenizer" }
    if has("steps", "flops", "evaluations") { return "training report" }
    if has("version", "shards") { return "MDS index" }
    return nil
  }

  /// `token dataset` of `weir.token-dataset.1`.
  static func words(_ format: String) -> String {
    var parts = format.split(separator: ".").map(String.init)
    if parts.first == "weir" { parts.removeFirst() }
    if parts.count > 1, parts.last.flatMap({ Int($0) }) != nil { parts.removeLast() }
    let text = parts.joined(separator: ".")
    return text.isEmpty ? format : text.split(separator: "-").joined(separator: " ")
  }
}
