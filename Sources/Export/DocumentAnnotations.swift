import Artifacts
import Documents
import Primitives
import Tokens

/// The members that an export adds to documents: `cluster`, `window_clusters`, `epochs` and `drawn`.
package struct DocumentAnnotations: Sendable {
  /// The documents that a mixture draws for a run.
  package struct Draw: Sendable {
    /// [windows] the cluster of each window; nil for one cluster.
    package var clusters: [UInt32]?
    /// [documents] the tokens of each document times the passes that the run makes over its groups of rows.
    package var expected: [Double]
    /// [documents] the tokens that the loader reads of each document in the run, repeats included.
    package var tokens: [Int]

    package init(clusters: [UInt32]?, expected: [Double], tokens: [Int]) {
      (self.clusters, self.expected, self.tokens) = (clusters, expected, tokens)
    }

    /// The documents of which the loader reads at least one token.
    package var documents: [Int] { tokens.indices.filter { tokens[$0] > 0 } }
  }

  private let dataset: TokenDataset
  private let leaves: [UInt32]?
  private let draw: Draw?

  /// - Parameters:
  ///   - leaves: [windows] the leaf of each window in the tree that was asked for; nil for none.
  ///   - draw: the subset of a mixture; nil for the corpus.
  package init(_ dataset: TokenDataset, leaves: [UInt32]?, draw: Draw?) {
    (self.dataset, self.leaves, self.draw) = (dataset, leaves, draw)
  }

  func add(to document: inout Document, number: Int) {
    var members: [(name: String, value: String)] = []
    let windows = dataset.windows(of: number)
    if let leaves = leaves ?? draw?.clusters { members.append(("cluster", "\(main(leaves, windows))")) }
    if let leaves { members.append(("window_clusters", "[\(windows.map { "\(leaves[$0])" }.joined(separator: ", "))]")) }
    if let draw {
      let length = Double(dataset.length(number))
      members.append(("epochs", Self.number(draw.expected[number] / length)))
      members.append(("drawn", Self.number(Double(draw.tokens[number]) / length)))
    }
    document.set(members)
  }

  /// The leaf that holds most tokens of a document; of several, the first.
  private func main(_ leaves: [UInt32], _ windows: Range<Int>) -> UInt32 {
    var tokens: [UInt32: Int] = [:]
    for window in windows { tokens[leaves[window], default: 0] += dataset.window(window).count }
    return tokens.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? 0
  }

  /// Four decimal places are enough for a number of passes.
  private static func number(_ value: Double) -> String { "\((value * 10_000).rounded() / 10_000)" }
}
