/// Tokens with their ids, flat.
public struct TokenList: Sendable {
  var bytes: [UInt8] = []
  var ends: [Int] = []
  var ids: [UInt32] = []

  /// An empty list.
  public init() {}

  /// The number of tokens.
  public var count: Int { ids.count }

  /// Appends a token.
  public mutating func append(_ token: some Sequence<UInt8>, id: UInt32) {
    bytes.append(contentsOf: token)
    ends.append(bytes.count)
    ids.append(id)
  }
}
