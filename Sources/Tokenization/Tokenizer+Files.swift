import Foundation
import Primitives
import Storage

extension Tokenizer {
  package static let format = "weir.tokenizer.1"

  /// Reads a tokenizer.json, or a folder with one (a tokenizer's or a model's).
  /// - Throws: `WeirError` that names the file and the invalid member.
  public init(folder path: String) throws {
    let file = Files.isFolder(path) ? path + "/tokenizer.json" : path
    guard Files.exists(file) else {
      let others = ["tokenizer.model", "tekken.json", "vocab.json", "vocab.txt"].filter { Files.exists(path + "/" + $0) }
      guard let other = others.first else { throw WeirError(file, "is not there", remedy: "give a folder with a tokenizer.json") }
      throw WeirError(
        path, "has \(other), but no tokenizer.json",
        remedy: "write one with transformers: AutoTokenizer.from_pretrained(FOLDER).save_pretrained(OUT)")
    }
    try self.init(json: try Files.readWhole(file), path: file)
  }

  /// Parses a tokenizer.json.
  /// - Parameters:
  ///   - json: the content of the file.
  ///   - path: the file, for errors.
  package init(json: [UInt8], path: String) throws {
    var file = try TokenizerFile(json, path: path)
    self = try file.tokenizer()
  }

  /// Writes `tokenizer.json`, `tokenizer_config.json` and `manifest.json` atomically.
  /// - Parameters:
  ///   - tool: tool and version for the manifest.
  ///   - inputs: fingerprints of the inputs, by role.
  ///   - replacing: whether an existing Weir folder may be replaced.
  @discardableResult
  package func write(
    to folder: String, tool: String = "weir", inputs: [String: String] = [:], configuration: JSONValue = .object([:]),
    replacing: Bool = false
  ) throws -> Manifest {
    let atomic = try AtomicFolder(folder, replacing: replacing)
    try writeFiles(in: atomic.working)
    return try atomic.commit(
      format: Self.format, tool: tool, inputs: inputs,
      configuration: .object(["fingerprint": .string(fingerprint), "made": configuration]),
      counts: ["vocabulary": vocabularySize, "merges": merges.count, "specials": addedTokens.filter(\.isSpecial).count])
  }

  /// Writes `tokenizer.json` and `tokenizer_config.json` into an existing folder, such as a model's.
  package func writeFiles(in folder: String) throws {
    try Files.write(json(), to: folder + "/tokenizer.json")
    var configuration: [String: JSONValue] = [
      "tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": false,
    ]
    if let id = endOfDocument, let token = addedTokens.first(where: { $0.id == id }) {
      configuration["eos_token"] = .string(token.content)
    }
    try JSONFile.write(JSONValue.object(configuration), to: folder + "/tokenizer_config.json")
  }

  /// The content of a tokenizer.json that Hugging Face libraries load to the same ids: vocabulary by id, one merge per line.
  package func json() -> [UInt8] {
    var writer = TokenizerWriter()
    writer.write(self)
    return writer.text
  }
}

extension Tokenizer {
  /// A token of the vocabulary as a tokenizer.json has it.
  fileprivate func key(of id: UInt32) -> [UInt8] {
    guard let characters = tables.rules.characters else { return ByteAlphabet.encode(bytes(of: id)) }
    guard tables.layout.isOrdinary(id) else { return Array(bytes(of: id)) }
    return tables.layout.withKey(id) { key in
      characters.marksBlanks ? key.flatMap { $0 == 0x20 ? [UInt8].blankMark : [$0] } : Array(key)
    }
  }
}

/// Writes tokenizer.json.
private struct TokenizerWriter {
  var text: [UInt8] = []

  mutating func write(_ tokenizer: Tokenizer) {
    put("{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n  \"added_tokens\": [")
    for (index, token) in tokenizer.addedTokens.enumerated() {
      put(index == 0 ? "\n    " : ",\n    ")
      put("{\"id\": \(token.id), \"content\": ")
      quote(Array(token.content.utf8))
      for (name, option) in Tokenizer.AddedToken.Options.names { put(", \"\(name)\": \(token.options.contains(option))") }
      put(", \"special\": \(token.isSpecial)}")
    }
    let characters = tokenizer.tables.rules.characters
    put("\n  ],\n  \"normalizer\": ")
    member("normalizer", tokenizer) { $0.put(tokenizer.normalizes ? "{\"type\": \"NFC\"}" : "null") }
    put(",\n  \"pre_tokenizer\": ")
    member("pre_tokenizer", tokenizer) { $0.pretokenizer(tokenizer) }
    put(",\n  \"post_processor\": ")
    template(tokenizer)
    put(",\n  \"decoder\": ")
    member("decoder", tokenizer) {
      $0.put("{\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true, \"use_regex\": true}")
    }
    put(",\n  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": ")
    if let unknown = characters?.unknown { quote(tokenizer.key(of: unknown)) } else { put("null") }
    put(",\n    \"continuing_subword_prefix\": null,\n    \"end_of_word_suffix\": null,\n")
    put("    \"fuse_unk\": \(characters?.fuses ?? false),\n    \"byte_fallback\": \(characters?.fallsBack ?? false),\n")
    put("    \"ignore_merges\": \(tokenizer.ignoresMerges),\n    \"vocab\": {")
    vocabulary(tokenizer)
    put("\n    },\n    \"merges\": [")
    for (index, merge) in tokenizer.merges.enumerated() {
      put(index == 0 ? "\n      [" : ",\n      [")
      quote(tokenizer.key(of: merge.left))
      put(", ")
      quote(tokenizer.key(of: merge.right))
      put("]")
    }
    put("\n    ]\n  }\n}\n")
  }

  /// A member as it was read, or else what `generated` writes.
  private mutating func member(_ name: String, _ tokenizer: Tokenizer, _ generated: (inout TokenizerWriter) -> Void) {
    guard let value = tokenizer.tables.rules.members[name] else { return generated(&self) }
    text += ((try? JSONFile.encode(value)) ?? Array("null".utf8)).filter { $0 != 0x0A }
  }

  private mutating func pretokenizer(_ tokenizer: Tokenizer) {
    guard let kind = tokenizer.publishedPretokenizer else { return put("null") }
    if kind == .gpt2 || kind == .starcoder {
      if kind == .starcoder {
        put("{\"type\": \"Sequence\", \"pretokenizers\": [\n    {\"type\": \"Digits\", \"individual_digits\": true},\n    ")
      }
      put("{\"type\": \"ByteLevel\", \"add_prefix_space\": \(tokenizer.addsPrefixSpace), \"trim_offsets\": true, \"use_regex\": true}")
      if kind == .starcoder { put("\n  ]}") }
      return
    }
    put("{\"type\": \"Sequence\", \"pretokenizers\": [\n")
    for pattern in kind.patterns {
      put("    {\"type\": \"Split\", \"pattern\": {\"Regex\": ")
      quote(Array(pattern.utf8))
      put("}, \"behavior\": \"Isolated\", \"invert\": false},\n")
    }
    put("    {\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": false}\n  ]}")
  }

  /// The tokens round a text, and round each of a pair.
  private mutating func template(_ tokenizer: Tokenizer) {
    let template = tokenizer.template
    guard !template.isEmpty else { return put("null") }
    func name(_ id: UInt32) -> [UInt8] {
      tokenizer.addedTokens.first { $0.id == id }.map { Array($0.content.utf8) } ?? tokenizer.key(of: id)
    }
    put("{\"type\": \"TemplateProcessing\", ")
    for (member, texts) in [("single", ["A"]), ("pair", ["A", "B"])] {
      put("\"\(member)\": [")
      for (kind, text) in texts.enumerated() {
        for id in template.prefix {
          put("{\"SpecialToken\": {\"id\": ")
          quote(name(id))
          put(", \"type_id\": \(kind)}}, ")
        }
        put("{\"Sequence\": {\"id\": \"\(text)\", \"type_id\": \(kind)}}")
        for id in template.suffix {
          put(", {\"SpecialToken\": {\"id\": ")
          quote(name(id))
          put(", \"type_id\": \(kind)}}")
        }
        if text != texts.last { put(", ") }
      }
      put("], ")
    }
    put("\"special_tokens\": {")
    for (index, id) in Set(template.prefix + template.suffix).sorted().enumerated() {
      put(index == 0 ? "" : ", ")
      quote(name(id))
      put(": {\"id\": ")
      quote(name(id))
      put(", \"ids\": [\(id)], \"tokens\": [")
      quote(name(id))
      put("]}")
    }
    put("}}")
  }

  private mutating func vocabulary(_ tokenizer: Tokenizer) {
    var contents: [UInt32: [UInt8]] = [:]
    for token in tokenizer.addedTokens { contents[token.id] = Array(token.content.utf8) }
    var isFirst = true
    for id in 0..<UInt32(tokenizer.vocabularySize) {
      let bytes = tokenizer.bytes(of: id)
      if bytes.isEmpty { continue }
      put(isFirst ? "\n      " : ",\n      ")
      isFirst = false
      quote(contents[id] ?? tokenizer.key(of: id))
      put(": \(id)")
    }
  }

  private mutating func put(_ string: String) { text.append(contentsOf: string.utf8) }

  private mutating func quote(_ string: [UInt8]) {
    text.append(UInt8(ascii: "\""))
    for byte in string {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        text.append(UInt8(ascii: "\\"))
        text.append(byte)
      case 0..<0x20:
        let digits = String(byte, radix: 16)
        put("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
      default: text.append(byte)
      }
    }
    text.append(UInt8(ascii: "\""))
  }
}
