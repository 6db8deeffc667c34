import ChatTemplates
import Primitives
import Storage

extension ChatTemplate {
  /// Opens the template of a model.
  /// - Parameters:
  ///   - name: a published template, one of the tokenizer's by its name, or a file; nil for the tokenizer's default.
  ///   - folder: the model folder.
  static func find(_ name: String?, folder: String) throws -> ChatTemplate {
    if let name, let published = try published(name) { return published }
    let own = try templates(folder)
    if let found = own.first(where: { $0.name == name ?? "default" }) { return try ChatTemplate(found.source, place: found.place) }
    if let name, Files.exists(name), !Files.isFolder(name) { return try ChatTemplate(Files.readWhole(name), place: name) }
    let known = publishedNames.joined(separator: ", ")
    if let name {
      let others = own.map(\.name).filter { $0 != "default" }
      throw WeirError(
        "chatTemplate", "there is no chat template \(name)",
        remedy: "give a file or one of \((publishedNames + others).joined(separator: ", "))")
    }
    throw WeirError(
      folder, "its tokenizer has no chat template", remedy: "choose a published one (\(known)) or a file")
  }

  /// The templates of a tokenizer: `chat_template.jinja`, else those in `tokenizer_config.json`, and `additional_chat_templates`.
  private static func templates(_ folder: String) throws -> [(name: String, source: [UInt8], place: String)] {
    var found: [(name: String, source: [UInt8], place: String)] = []
    let path = folder + "/chat_template.jinja", settings = folder + "/tokenizer_config.json"
    if Files.exists(path) {
      found.append(("default", try Files.readWhole(path), path))
    } else if Files.exists(settings) {
      let place = settings + "#chat_template", root = try JSONDocument(Files.readWhole(settings), place: settings, lenient: true).root
      if let source = root["chat_template"]?.bytes { found.append(("default", source, place)) }
      for entry in root["chat_template"]?.array ?? [] {
        guard let name = entry["name"]?.string, let source = entry["template"]?.bytes else {
          throw WeirError(place, "is neither a string nor a list of named templates")
        }
        found.append((name, source, "\(place)[\(name)]"))
      }
    }
    let others = folder + "/additional_chat_templates", ending = ".jinja"
    for file in Files.isFolder(others) ? try Files.entries(of: others).sorted() : [] where file.hasSuffix(ending) {
      found.append((String(file.dropLast(ending.count)), try Files.readWhole(others + "/" + file), others + "/" + file))
    }
    return found
  }
}
