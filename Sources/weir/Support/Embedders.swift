import Embedding
import Kernels
import Primitives
import Storage
import Tokenization

/// Embedders by name or folder. What needs text is given the tokenizers here, since capabilities do not import each other.
enum Embedders {
  /// The embedder in a folder: a tree's, or that of vectors.
  static func load(_ folder: String) throws -> any Embedder {
    switch try EmbedderFolder.kind(folder) {
    case "lsi": return try LSIEmbedder(folder: folder)
    case "static": return try StaticEmbedder(folder: folder)
    case "minilm":
      let inner = EmbedderFolder.resolved(folder)
      return try text(inner, configuration: TextEmbedder.configuration(of: inner), tokenizer: Tokenizer(folder: inner + "/tokenizer"))
    case let kind: throw WeirError(folder, "is an embedder of the unknown kind \(kind)")
    }
  }

  /// A sentence encoder on windows of a tokenizer.
  static func text(_ folder: String, configuration: TextEmbedder.Configuration, tokenizer: Tokenizer) throws -> TextEmbedder {
    guard Files.isFolder(folder) else {
      throw WeirError(
        "--model", "no folder \"\(folder)\" with a sentence encoder",
        remedy: "name a folder of sentence-transformers, such as all-MiniLM-L6-v2")
    }
    let words = try WordPiece(reading: folder)
    guard let first = words.id(of: "[CLS]"), let last = words.id(of: "[SEP]") else {
      throw WeirError(folder, "its vocabulary has no [CLS] and [SEP]", remedy: "fetch the model again")
    }
    return try TextEmbedder(
      folder: folder, configuration: configuration, tokenizer: tokenizer.fingerprint, markers: (Int32(first), Int32(last)),
      pieces: { window in
        let ids = window.map { UInt32(bitPattern: $0) }.filter { $0 != tokenizer.endOfDocument }
        return words.encode(String(decoding: tokenizer.decode(ids), as: UTF8.self)).map { Int32(bitPattern: $0) }
      },
      keep: { target in
        for name in ["tokenizer.json", "vocab.txt"] where Files.exists(folder + "/" + name) {
          try Files.write(Files.read(folder + "/" + name), to: target + "/" + name)
        }
        try Files.createFolder(target + "/tokenizer")
        try tokenizer.writeFiles(in: target + "/tokenizer")
      })
  }

  /// Vectors of a tokenizer's tokens, distilled from a sentence encoder.
  static func distilled(_ folder: String, tokenizer: Tokenizer, dimensions: Int, pool: ThreadPool) throws -> StaticEmbedder {
    let teacher = try text(folder, configuration: TextEmbedder.Configuration(parts: .first), tokenizer: tokenizer)
    let vectors = try teacher.embed((0..<tokenizer.vocabularySize).map { [Int32($0)] }, pool: pool)
    return try StaticEmbedder(
      distilling: vectors, width: teacher.dimensions, dimensions: dimensions, encoder: teacher.fingerprint,
      tokenizer: tokenizer.fingerprint,
      pool: pool)
  }
}
