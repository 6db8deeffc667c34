import Storage

extension Document {
  /// The domain of the document for tables and evaluation: `metadata.domain`, else the source. No stage decides by it.
  package var label: String? { Self.label(members: members, source: source) }

  /// The label of a document that has these members and this source.
  package static func label(members: [UInt8], source: String?) -> String? {
    guard !members.isEmpty, let root = try? JSONDocument([123] + members + [125], place: "members").root else { return source }
    return root["metadata"]?["domain"]?.string ?? source
  }
}
