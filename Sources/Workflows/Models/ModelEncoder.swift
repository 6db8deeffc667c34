import Primitives
import Storage
import Tokenization
import Tokens
import Training

extension Models {
  /// The tokens that transformers adds around a text: those that `add_bos_token` and `add_eos_token` of `tokenizer_config.json` ask for, or
  /// without these settings those of the post-processor.
  static func template(_ folder: String, _ tokenizer: Tokenizer) throws -> Template {
    func settings(_ name: String) throws -> JSONValue? {
      let path = folder + "/" + name
      return Files.exists(path) ? try JSONFile.read(JSONValue.self, from: path) : nil
    }
    let place = "tokenizer_config.json"
    guard let own = try settings(place), own["add_bos_token"] != nil || own["add_eos_token"] != nil else { return tokenizer.template }
    let map = try settings("special_tokens_map.json")
    func token(_ flag: String, _ name: String) throws -> [UInt32] {
      guard own[flag] == true, let value = own[name] ?? map?[name], let content = value.string ?? value["content"]?.string else {
        return []
      }
      guard let id = tokenizer.addedToken(content) ?? tokenizer.token(of: Array(content.utf8)) else {
        throw WeirError(
          "\(folder)/\(place)", "\(name) is \"\(content)\", which tokenizer.json does not contain", remedy: "use the model's own tokenizer")
      }
      return [id]
    }
    return Template(prefix: try token("add_bos_token", "bos_token"), suffix: try token("add_eos_token", "eos_token"))
  }

  /// An encoder for the documents of a model.
  /// - Parameters:
  ///   - addsSpecial: whether to add the template of the model, as transformers does.
  ///   - allowsSpecials: whether special tokens in a text become their ids.
  static func encoder(_ model: String, addsSpecial: Bool, allowsSpecials: Bool) throws -> DocumentEncoder {
    let tokenizer = try tokenizer(model)
    return DocumentEncoder(
      tokenizer, template: addsSpecial ? try template(ModelFolder.locate(model), tokenizer) : Template(), allowsSpecials: allowsSpecials)
  }

  /// An encoder for documents like those of a dataset: with the tokenizer's template if its first document has it.
  static func encoder(_ dataset: TokenDataset, _ tokenizer: Tokenizer) throws -> DocumentEncoder {
    let template = tokenizer.template
    guard !template.isEmpty, let first = (0..<dataset.documentCount).first(where: { dataset.length($0) > 1 }) else {
      return DocumentEncoder(tokenizer)
    }
    var tokens = try dataset.tokens(document: first, range: 0..<dataset.length(first)).map { UInt32(bitPattern: $0) }
    if tokens.last == tokenizer.endOfDocument, template.suffix.last != tokenizer.endOfDocument { tokens.removeLast() }
    let isThere = template.stripped(tokens[...]).count == tokens.count - template.prefix.count - template.suffix.count
    return DocumentEncoder(tokenizer, template: isThere ? template : Template())
  }
}
