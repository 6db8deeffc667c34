import Primitives
import Storage
import Tokenization
import Tokens
import Training

/// The tokenizers of models.
package enum Models {
  /// Opens the tokenizer of a model.
  package static func tokenizer(_ model: String) throws -> Tokenizer {
    let folder = try ModelFolder.locate(model), vocabulary = try ModelFolder.configuration(folder).vocabulary
    let tokenizer = try Tokenizer(folder: folder)
    guard tokenizer.vocabularySize <= vocabulary else {
      throw WeirError(
        folder + "/tokenizer.json", "has \(tokenizer.vocabularySize) tokens, but the model's vocabulary only \(vocabulary)",
        remedy: "replace it by the model's own tokenizer")
    }
    return tokenizer
  }

  /// The token that starts an empty text: the model's beginning-of-text token, else its end-of-document token.
  package static func startToken(_ folder: String, _ tokenizer: Tokenizer) throws -> Int32? {
    let vocabulary = try ModelFolder.configuration(folder).vocabulary
    let candidates = [ModelFolder.beginning(folder), tokenizer.endOfDocument.map { Int($0) }, ModelFolder.endOfDocument(folder)]
    return candidates.compactMap { $0 }.first { (0..<vocabulary).contains($0) }.map { Int32($0) }
  }

  /// The tokens that end a text: those of the model, and the tokenizer's end-of-document token.
  static func stops(_ folder: String, _ tokenizer: Tokenizer) -> Set<Int32> {
    Set(ModelFolder.endings(folder).compactMap { Int32(exactly: $0) }).union(tokenizer.endOfDocument.map { [Int32($0)] } ?? [])
  }
}

extension ModelInitialization {
  /// The shape of the initial model.
  package func configuration() throws -> ModelConfiguration {
    switch self {
    case .scratch(let configuration): configuration
    case .folder(let path): try ModelFolder.configuration(path)
    case .checkpoint(let path, _): try ModelFolder.configuration(path)
    }
  }

  /// Throws `WeirError` if the model and the dataset do not have the same tokenizer. The embedding may have more rows than the tokenizer has
  /// tokens.
  /// - Parameter place: the model, for errors.
  package func check(dataset: TokenDataset, tokenizer: Tokenizer, place: String) throws {
    let model = try configuration()
    var isSame: Bool?
    if let path = folder, Files.exists(path + "/tokenizer.json") {
      isSame = try Tokenizer(folder: path).fingerprint == tokenizer.fingerprint
    }
    guard model.vocabulary == dataset.vocabulary || isSame == true && model.vocabulary > dataset.vocabulary else {
      throw WeirError(
        place, "has a vocabulary of \(model.vocabulary), but the dataset \(dataset.path) one of \(dataset.vocabulary)",
        remedy: "tokenize the data with the model's tokenizer")
    }
    guard isSame != false else {
      throw WeirError(
        place, "has another tokenizer than the dataset \(dataset.path)", remedy: "tokenize the data with the model's tokenizer")
    }
  }
}
