/// Tokens with their ids, in flat arrays.
package struct TokenList: Sendable {
  var bytes: [UInt8] = []
  var ends: [Int] = []
  var ids: [UInt32] = []

  package init() {}

  package var count: Int { ids.count }

  package mutating func append(_ token: some Sequence<UInt8>, id: UInt32) {
    bytes.append(contentsOf: token)
    ends.append(bytes.count)
    ids.append(id)
  }
}
