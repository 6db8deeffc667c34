/// Tokens with their ids, flat.
package struct TokenList: Sendable {
  var bytes: [UInt8] = []
  var ends: [Int] = []
  var ids: [UInt32] = []

  /// An empty list.
  package init() {}

  /// The number of tokens.
  package var count: Int { ids.count }

  /// Appends a token.
  package mutating func append(_ token: some Sequence<UInt8>, id: UInt32) {
    bytes.append(contentsOf: token)
    ends.append(bytes.count)
    ids.append(id)
  }
}
