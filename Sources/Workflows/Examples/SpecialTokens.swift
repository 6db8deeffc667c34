import Primitives
import Storage
import Tokenization
import Training

extension Models {
  /// The special tokens of a tokenizer by their names, such as `bos_token`, which chat templates refer to: those in `tokenizer_config.json`,
  /// then those in `special_tokens_map.json`.
  static func specialTokens(_ folder: String) throws -> [String: String] {
    var tokens: [String: String] = [:]
    for file in ["special_tokens_map.json", "tokenizer_config.json"] where Files.exists(folder + "/" + file) {
      guard case .object(let members) = try JSONFile.read(JSONValue.self, from: folder + "/" + file) else { continue }
      for (name, value) in members where name.hasSuffix("_token") {
        if let content = value.string ?? value["content"]?.string { tokens[name] = content }
      }
    }
    return tokens
  }

  /// The token of a name such as `eos_token`.
  static func specialToken(_ name: String, _ folder: String, _ tokenizer: Tokenizer) throws -> UInt32? {
    try specialTokens(folder)[name].flatMap { tokenizer.addedToken($0) ?? tokenizer.token(of: Array($0.utf8)) }
  }
}
