import Primitives
import Storage

extension WordPiece {
  /// Reads a BERT vocabulary: a tokenizer.json of type WordPiece, a vocab.txt (one piece per line, uncased), or a folder with one.
  /// - Throws: `WeirError` that names the file and the invalid member.
  package init(reading path: String) throws {
    var file = path
    if Files.isFolder(path) {
      file = path + "/tokenizer.json"
      if !Files.exists(file) { file = path + "/vocab.txt" }
    }
    guard Files.exists(file) else { throw WeirError(file, "is not there", remedy: "give a tokenizer.json or a vocab.txt") }
    let bytes = try Files.readWhole(file)
    if file.hasSuffix(".json") {
      try self.init(json: bytes, path: file)
    } else {
      var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
      if lines.last?.isEmpty == true { lines.removeLast() }
      let pieces = lines.enumerated().map { index, line in (piece: Array(line.last == 0x0D ? line.dropLast() : line), id: UInt32(index)) }
      try self.init(pieces: pieces, unknown: "[UNK]", place: file)
    }
  }

  /// Parses a tokenizer.json.
  package init(json: [UInt8], path: String) throws {
    let root = try JSONDocument(json, place: path).root
    guard let model = root["model"], model.isObject else { throw WeirError(path, "model is missing") }
    guard model["type"]?.string == "WordPiece" else {
      throw WeirError(path, "model.type is \(model["type"]?.string ?? "not a string"), not WordPiece")
    }
    var options = Options()
    func flag(_ node: JSONNode, _ name: String, _ place: String, _ value: Bool) throws -> Bool {
      guard let found = node[name], !found.isNull else { return value }
      guard let flag = found.bool else { throw WeirError(path, "\(place).\(name) is neither true nor false") }
      return flag
    }
    if let normalizer = root["normalizer"], !normalizer.isNull {
      guard normalizer["type"]?.string == "BertNormalizer" else {
        throw WeirError(
          path, "normalizer is \(normalizer["type"]?.string ?? "without a type"); only BertNormalizer is supported with WordPiece")
      }
      options.cleansText = try flag(normalizer, "clean_text", "normalizer", true)
      options.separatesHan = try flag(normalizer, "handle_chinese_chars", "normalizer", true)
      options.lowercases = try flag(normalizer, "lowercase", "normalizer", true)
      options.stripsAccents = try flag(normalizer, "strip_accents", "normalizer", options.lowercases)
    } else {
      (options.cleansText, options.separatesHan, options.lowercases, options.stripsAccents) = (false, false, false, false)
    }
    guard root["pre_tokenizer"]?["type"]?.string == "BertPreTokenizer" else {
      let type = root["pre_tokenizer"]?["type"]?.string ?? "missing"
      throw WeirError(path, "pre_tokenizer is \(type); only BertPreTokenizer is supported with WordPiece")
    }
    if let prefix = model["continuing_subword_prefix"]?.string { options.continuation = prefix }
    if let longest = model["max_input_chars_per_word"], !longest.isNull {
      guard let value = longest.int, value > 0 else { throw WeirError(path, "model.max_input_chars_per_word is not a positive number") }
      options.longestWord = value
    }
    guard let vocabulary = model["vocab"], vocabulary.isObject else { throw WeirError(path, "model.vocab is missing") }
    var pieces: [(piece: [UInt8], id: UInt32)] = []
    try vocabulary.forEachMember { key, value in
      guard let id = value.int, id >= 0, id < Tokenizer.maximumVocabulary else {
        throw WeirError(path, "model.vocab[\"\(String(decoding: key, as: UTF8.self))\"] is not an id")
      }
      pieces.append((piece: Array(key), id: UInt32(id)))
    }
    try self.init(pieces: pieces, unknown: model["unk_token"]?.string ?? "[UNK]", options: options, place: path)
  }
}
