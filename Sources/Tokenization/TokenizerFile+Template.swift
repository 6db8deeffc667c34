import Storage

extension TokenizerFile {
  /// The tokens that the post_processor adds around a single text. ByteLevel only affects offsets.
  func template() throws -> Template {
    guard let node = member(root, "post_processor") else { return Template() }
    var steps = [(place: "post_processor", node: node)]
    if node["type"]?.string == "Sequence" {
      guard let parts = node["processors"]?.array else { throw fail("post_processor.processors", "is not a list") }
      steps = parts.enumerated().map { ("post_processor.processors[\($0)]", $1) }
    }
    var template = Template()
    for (place, step) in steps {
      let added: Template
      switch step["type"]?.string {
      case "ByteLevel": continue
      case "TemplateProcessing": added = try processing(step, place: place)
      case "BertProcessing", "RobertaProcessing":
        added = Template(prefix: [try pair(step, "cls", place: place)], suffix: [try pair(step, "sep", place: place)])
      case let type: throw fail(place, "is \(type ?? "without a type"), which is not supported")
      }
      // Each step wraps the result of the one before it.
      template.prefix = added.prefix + template.prefix
      template.suffix += added.suffix
    }
    return template
  }

  /// `["[CLS]", 101]`: a token and its id.
  private func pair(_ step: JSONNode, _ name: String, place: String) throws -> UInt32 {
    guard let parts = step[name]?.array, parts.count == 2, let id = identifier(parts[1]) else {
      throw fail("\(place).\(name)", "is not a token and its id")
    }
    return id
  }

  private func identifier(_ node: JSONNode) -> UInt32? {
    node.int.flatMap { (0..<Tokenizer.maximumVocabulary).contains($0) ? UInt32($0) : nil }
  }

  /// A list of special tokens and `A`, the text.
  private func processing(_ step: JSONNode, place: String) throws -> Template {
    guard let single = step["single"]?.array else { throw fail("\(place).single", "is not a list") }
    var template = Template()
    var texts = 0
    for (index, element) in single.enumerated() {
      let place = "\(place).single[\(index)]"
      if element["Sequence"] != nil {
        guard element["Sequence"]?["id"]?.string == "A" else { throw fail(place, "is a text other than A") }
        texts += 1
      } else {
        guard let name = element["SpecialToken"]?["id"]?.string else { throw fail(place, "is neither a text nor a special token") }
        guard let ids = step["special_tokens"]?[name]?["ids"]?.array?.map(identifier), !ids.contains(where: { $0 == nil }) else {
          throw fail(place, "refers to \"\(name)\", which special_tokens does not define")
        }
        let known = ids.compactMap { $0 }
        if texts == 0 { template.prefix += known } else { template.suffix += known }
      }
    }
    guard texts == 1 else { throw fail("\(place).single", "contains the text \(texts) times instead of once") }
    return template
  }
}
