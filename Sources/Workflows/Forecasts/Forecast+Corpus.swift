import Documents
import Pipeline
import Primitives
import Storage
import Tokens

extension Forecast {
  /// The cost of a command that reads documents, or passes on what flows.
  /// - Parameters:
  ///   - paths: files and folders to read; empty in the middle of a pipe.
  ///   - output: the file that the command writes; nil for a pipe.
  package mutating func documents(_ paths: [String], textField: String = "text", output: String?) throws -> Row {
    if !paths.isEmpty { current = try size(of: paths, textField: textField) }
    guard let size = current else { return Row() }
    if let path = output {
      sizes[path] = size
      // The compression of text by zstd at the level that Weir writes.
      return Row(documents: size.documents, disk: size.bytes * (path.hasSuffix(".zst") ? 0.3 : 1.1))
    }
    return Row(documents: size.documents, memory: 64e6)
  }

  /// The size of documents and datasets on disk: counted over the first 64 MB of each path, extrapolated for the rest.
  package mutating func size(of paths: [String], textField: String = "text") throws -> Size {
    var sum = Size()
    for path in paths where path != "-" {
      if sizes[path] == nil { sizes[path] = try Self.measure(path, textField: textField) }
      let size = sizes[path] ?? Size()
      sum.documents += size.documents
      sum.bytes += size.bytes
      sum.tokens += size.tokens
    }
    return sum
  }

  private static func measure(_ path: String, textField: String = "text") throws -> Size {
    guard Files.exists(path) || ObjectStore.isAddress(path) else {
      throw WeirError(path, "no such file or folder", remedy: "create it first, or correct the path")
    }
    if Files.exists(path + "/manifest.json"), let dataset = try? TokenDataset(path) {
      return Size(documents: Double(dataset.documentCount), bytes: Double(dataset.byteCount), tokens: Double(dataset.tokenCount))
    }
    let source = try DocumentSource(paths: [path])
    let parse = ParseDocuments(textField: textField)
    var size = Size()
    var tally = Tally(stage: ParseDocuments.stage)
    while size.bytes < 64e6, let block = try source.next() {
      for document in try parse.apply(block, tally: &tally) {
        size.documents += 1
        size.bytes += Double(document.text.count)
      }
    }
    // Extrapolate to the part that was not read.
    if let total = source.totalBytes, source.bytesRead > 0, source.bytesRead < total {
      let scale = Double(total) / Double(source.bytesRead)
      size.documents *= scale
      size.bytes *= scale
    }
    return size
  }
}

extension Forecast {
  /// Bytes per token of mixed text under a byte-level vocabulary of a few thousand tokens: the estimate before anything is tokenized.
  package static let bytesPerToken = 3.2

  /// The cost of tokenizing what flows, at a typical compression.
  package mutating func tokens(tokenizer: String, dataset: String?) throws -> Row {
    guard var size = current else { return Row() }
    if Files.isFolder(tokenizer) ? !Files.exists(tokenizer + "/tokenizer.json") : !Files.exists(tokenizer) {
      throw WeirError(tokenizer, "no tokenizer.json there", remedy: "create one with `weir tokenizer train`")
    }
    size.tokens = size.bytes / Self.bytesPerToken + size.documents
    current = size
    guard let dataset else { return Row(documents: size.documents, tokens: size.tokens, memory: 64e6) }
    return try shards(dataset)
  }

  /// The cost of writing what flows as a token dataset.
  package mutating func shards(_ dataset: String) throws -> Row {
    if let made = try? Self.measure(dataset) { current = made }
    guard let size = current else { return Row() }
    sizes[dataset] = size
    return Row(documents: size.documents, tokens: size.tokens, memory: 64e6, disk: size.tokens * 2 + size.documents * 150)
  }
}
