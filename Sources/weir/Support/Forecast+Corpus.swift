import Documents
import Foundation
import Pipeline
import Primitives
import Storage
import Tokens

extension Forecast {
  /// Documents that a chain's first command reads: counted over the first 64 MB, scaled up for the rest.
  mutating func documents(_ input: InputOptions, output: OutputOptions?) throws -> Row {
    if !input.paths.isEmpty { current = try size(of: input.paths, input) }
    guard let size = current else { return Row() }
    if let path = output?.output {
      sizes[path] = size
      // What zstd leaves of text at the level we write.
      return Row(documents: size.documents, disk: size.bytes * (path.hasSuffix(".zst") ? 0.3 : 1.1))
    }
    return Row(documents: size.documents, memory: 64e6)
  }

  /// The size of documents in files.
  mutating func size(of paths: [String], _ input: InputOptions? = nil) throws -> Size {
    var sum = Size()
    for path in paths where path != "-" {
      if sizes[path] == nil { sizes[path] = try Self.measure(path, input) }
      let size = sizes[path] ?? Size()
      sum.documents += size.documents
      sum.bytes += size.bytes
      sum.tokens += size.tokens
    }
    return sum
  }

  private static func measure(_ path: String, _ input: InputOptions?) throws -> Size {
    guard Files.exists(path) else { throw WeirError(path, "no such file or folder", remedy: "make it first, or correct the path") }
    if Files.exists(path + "/manifest.json"), let dataset = try? TokenDataset(path) {
      return Size(documents: Double(dataset.documentCount), bytes: Double(dataset.byteCount), tokens: Double(dataset.tokenCount))
    }
    let source = try DocumentSource(paths: [path])
    let parse = ParseDocuments(textField: input?.textField ?? "text", idField: input?.idField ?? "id")
    var size = Size()
    var ledger = Ledger(names: parse.names)
    while size.bytes < 64e6, let block = try source.next() {
      for document in try parse.apply(block, ledger: &ledger, offset: 0) {
        size.documents += 1
        size.bytes += Double(document.text.count)
      }
    }
    // A file that was not read to its end: the rest is taken to be like the beginning.
    if let total = source.totalBytes, source.bytesRead > 0, source.bytesRead < total {
      let scale = Double(total) / Double(source.bytesRead)
      size.documents *= scale
      size.bytes *= scale
    }
    return size
  }
}

extension Forecast {
  /// Tokens of what flows, by the tokenizer's compression.
  mutating func tokens(tokenizer: String, dataset: String?) throws -> Row {
    guard var size = current else { return Row() }
    if Files.isFolder(tokenizer) ? !Files.exists(tokenizer + "/tokenizer.json") : !Files.exists(tokenizer) {
      throw WeirError(tokenizer, "no tokenizer.json there", remedy: "make one with weir tokenizer train")
    }
    // Before anything is tokenized: what a byte-level vocabulary of a few thousand makes of mixed text.
    size.tokens = size.bytes / 3.2 + size.documents
    current = size
    guard let dataset else { return Row(documents: size.documents, tokens: size.tokens, memory: 64e6) }
    return try shards(dataset)
  }

  /// The dataset that what flows becomes.
  mutating func shards(_ dataset: String) throws -> Row {
    if let made = try? Self.measure(dataset, nil) { current = made }
    guard let size = current else { return Row() }
    sizes[dataset] = size
    return Row(documents: size.documents, tokens: size.tokens, memory: 64e6, disk: size.tokens * 2 + size.documents * 150)
  }
}
