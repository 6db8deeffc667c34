import Artifacts
import Documents
import Foundation
import Loading
import Primitives
import Storage
import Tokenization
import Tokens
import Training

/// What commands on models have in common: from paths to tokens, batches and held-out sets.
enum Load {
  /// The tokenizer that a dataset carries with it.
  static func tokenizer(of dataset: TokenDataset) throws -> Tokenizer {
    let folder = dataset.path + "/tokenizer"
    guard Files.isFolder(folder) else {
      throw WeirError(dataset.path, "carries no tokenizer", remedy: "make it with weir tokenize … | weir shard, which copies it")
    }
    let tokenizer = try Tokenizer(folder: folder)
    guard tokenizer.fingerprint == dataset.tokenizer else {
      throw WeirError(folder, "is not the tokenizer that the dataset was made with", remedy: "make the dataset again")
    }
    return tokenizer
  }

  /// Documents of files, as tokens ended by the end-of-document token.
  static func tokenize(_ paths: [String], _ tokenizer: Tokenizer) throws -> [(document: Document, tokens: [Int32])] {
    var context = EncodeContext()
    return try DocumentFile.readAll(paths).map { document in
      var ids: [UInt32] = []
      tokenizer.encode(document.text, into: &ids, context: &context)
      return (document, ids.map { Int32($0) } + (tokenizer.endOfDocument.map { [Int32($0)] } ?? []))
    }
  }

  /// The label of a document for tables: `metadata.domain`, else its source. No stage decides by it.
  static func label(members: [UInt8], source: String?) -> String? {
    guard !members.isEmpty, let document = try? JSONDocument([123] + members + [125], place: "members") else { return source }
    return document.root["metadata"]?["domain"]?.string ?? source
  }

  /// What a held-out file is called: its name without extensions.
  static func name(_ path: String) -> String {
    let last = path.split(separator: "/").last.map(String.init) ?? path
    return last.split(separator: ".").first.map(String.init) ?? last
  }

  /// A held-out set of a file.
  static func validation(_ path: String, _ tokenizer: Tokenizer) throws -> ValidationSet {
    let documents = try tokenize([path], tokenizer).filter { $0.tokens.count > 1 }
    guard !documents.isEmpty else { throw WeirError(path, "no document with two tokens to evaluate on") }
    return ValidationSet(
      name: name(path),
      documents: documents.map {
        EvaluationDocument(
          tokens: $0.tokens, bytes: $0.document.text.count, domain: label(members: $0.document.members, source: $0.document.source))
      })
  }

  /// The batches of a dataset by a mixture; every token equally likely without one.
  static func loader(_ dataset: TokenDataset, mixture path: String?, randomSeed: UInt64, rows: Int, sequence: Int) throws -> PackedLoader {
    guard let path else { return try PackedLoader(uniform: dataset, randomSeed: randomSeed, rows: rows, sequence: sequence) }
    let mixture = try Mixture.read(from: path)
    guard mixture.dataset == dataset.fingerprint else {
      throw WeirError(path, "was made for another dataset than \(dataset.path)", remedy: "make it again with weir sample \(dataset.path)")
    }
    let name = Checksum.hex(try Checksum.xxh3(file: path))
    if let source = mixture.source {
      let seed = try seedDataset(of: dataset, source, mixture: path)
      return try PackedLoader(uniform: seed, name: name, randomSeed: randomSeed, rows: rows, sequence: sequence)
    }
    let assignment = try Clusters.assignment(of: dataset, mixture: mixture, path: path)
    return try PackedLoader(
      dataset: dataset, windows: Clusters.windows(assignment), weights: mixture.weights, name: name, randomSeed: randomSeed,
      rows: rows, sequence: sequence)
  }

  /// The seed's dataset that a mixture draws from in place of the corpus.
  private static func seedDataset(of dataset: TokenDataset, _ source: String, mixture path: String) throws -> TokenDataset {
    for folder in try Clusters.folders(dataset.path, Clusters.seeds) {
      let seed = try TokenDataset(folder)
      if seed.fingerprint == source { return seed }
    }
    throw WeirError(
      path, "draws from a seed that is not in \(dataset.path)/\(Clusters.seeds) (any more)", remedy: "make it again with weir sample")
  }
}

/// Models on disk.
enum Models {
  /// The tokenizer that a model carries with it.
  static func tokenizer(_ model: String) throws -> Tokenizer {
    let folder = try ModelFolder.locate(model), vocabulary = try ModelFolder.configuration(folder).vocabulary
    let tokenizer = try Tokenizer(folder: folder)
    guard tokenizer.vocabularySize <= vocabulary else {
      throw WeirError(
        folder + "/tokenizer.json", "has \(tokenizer.vocabularySize) tokens, the model only \(vocabulary)",
        remedy: "put the model's own tokenizer there")
    }
    return tokenizer
  }

  /// The token that a text without a beginning begins with: the model's beginning-of-text token, else its end-of-document token.
  static func textStart(_ folder: String, _ tokenizer: Tokenizer) throws -> Int32? {
    let vocabulary = try ModelFolder.configuration(folder).vocabulary
    let candidates = [ModelFolder.beginning(folder), tokenizer.endOfDocument.map { Int($0) }, ModelFolder.endOfDocument(folder)]
    return candidates.compactMap { $0 }.first { (0..<vocabulary).contains($0) }.map { Int32($0) }
  }
}
