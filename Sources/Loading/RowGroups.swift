import Artifacts
import Primitives
import Storage
import Tokens

/// How the windows of a dataset are grouped before they are packed.
package enum RowGroups: Sendable {
  /// The clusters of an assignment, which is read when the dataset is packed.
  package struct Clusters: Sendable {
    package let folder: String
    package let fingerprint: String
    let treeFingerprint: String
    /// The tree, if the groups are the nodes of a level of it rather than leaves.
    let tree: ClusterTree?
    let level: Int?

    package init(folder: String, tree: ClusterTree? = nil, level: Int? = nil) throws {
      let manifest = try Manifest.read(folder: folder, format: ClusterAssignment.format)
      (self.folder, self.tree, self.level) = (folder, tree, level)
      fingerprint = manifest.fingerprint
      treeFingerprint = try manifest.input("tree", in: folder)
    }
  }

  /// All in one group.
  case none
  /// The leaves of an assignment, or the nodes of one level of its tree; also what a scoring method keeps, and the rest.
  case clusters(Clusters)
  /// `source`, or another member of the documents such as `metadata.domain`.
  case field(String)

  /// The name of the groups of documents without the field.
  package static let missing = "(none)"

  /// Fingerprints of what the groups depend on beside the dataset.
  var inputs: [String: String] {
    guard case .clusters(let clusters) = self else { return [:] }
    return ["assignment": clusters.fingerprint, "tree": clusters.treeFingerprint]
  }

  var configuration: [String: JSONValue] {
    switch self {
    case .none: [:]
    case .clusters(let clusters): clusters.level.map { ["level": .number(Double($0))] } ?? [:]
    case .field(let name): ["by": .string(name)]
    }
  }

  /// What they are, as a part of a folder's name.
  var name: String {
    switch self {
    case .none: ""
    case .clusters(let clusters):
      "-" + (clusters.folder.split(separator: "/").last.map(String.init) ?? "clusters") + (clusters.level.map { "-level-\($0)" } ?? "")
    case .field(let field): "-by-" + String(field.map { $0 == "/" ? "+" : $0 })
    }
  }

  /// A group for every document or window.
  struct Assigned {
    var names: [String]
    /// [groups] leaves, if the groups are clusters.
    var leaves: [[Int]]?
    /// [windows] or [documents] groups; empty for a single one.
    var numbers: [UInt32]
    var isByWindow: Bool
  }

  func assign(_ dataset: TokenDataset) throws -> Assigned {
    switch self {
    case .none: return Assigned(names: ["all"], numbers: [], isByWindow: false)
    case .clusters(let clusters): return try byCluster(clusters, dataset)
    case .field(let name): return try byField(name, dataset)
    }
  }

  /// The groups of a dataset in their order, with their tokens.
  package func tokens(of dataset: TokenDataset) throws -> [(name: String, tokens: Int)] {
    let assigned = try assign(dataset)
    var tokens = [Int](repeating: 0, count: assigned.names.count)
    for document in 0..<dataset.documentCount {
      guard assigned.isByWindow else {
        tokens[assigned.numbers.isEmpty ? 0 : Int(assigned.numbers[document])] += dataset.length(document)
        continue
      }
      for window in dataset.windows(of: document) { tokens[Int(assigned.numbers[window])] += dataset.window(window).count }
    }
    return zip(assigned.names, tokens).map { ($0, $1) }
  }

  private func byCluster(_ clusters: Clusters, _ dataset: TokenDataset) throws -> Assigned {
    let assignment = try ClusterAssignment(folder: clusters.folder)
    try assignment.check(dataset: dataset.fingerprint, windows: dataset.windowCount)
    guard let tree = clusters.tree, let level = clusters.level else {
      let leaves = 0..<assignment.leafCount
      return Assigned(names: leaves.map(String.init), leaves: leaves.map { [$0] }, numbers: assignment.leaves, isByWindow: true)
    }
    guard (0...tree.depth).contains(level) else {
      throw WeirError("level", "must be in 0…\(tree.depth), the levels of the tree, not \(level)")
    }
    let nodes = tree.nodes(atLevel: level), domains = tree.domains(level: level)
    var leaves = [[Int]](repeating: [], count: nodes.count)
    for (leaf, domain) in domains.enumerated() { leaves[domain].append(leaf) }
    return Assigned(
      names: nodes.map { tree.name(of: $0) }, leaves: leaves, numbers: assignment.leaves.map { UInt32(domains[Int($0)]) }, isByWindow: true)
  }

  private func byField(_ name: String, _ dataset: TokenDataset) throws -> Assigned {
    let path = name.split(separator: ".").map(String.init)
    guard !path.isEmpty else { throw WeirError("by", "is empty", remedy: "name a member of the documents, such as source") }
    var numbers: [UInt32] = []
    numbers.reserveCapacity(dataset.documentCount)
    var known: [String: UInt32] = [:]
    var isPresent = false
    try dataset.forEachInfo { _, info in
      let value = name == "source" ? info.source : try info.member(path)
      isPresent = isPresent || value != nil
      let key = value ?? Self.missing
      if known[key] == nil { known[key] = UInt32(known.count) }
      numbers.append(known[key] ?? 0)
      guard known.count <= PackedRows.mostGroups else {
        throw WeirError(dataset.path, "\(name) has more than \(PackedRows.mostGroups) values", remedy: "group by something coarser")
      }
      return true
    }
    guard isPresent else {
      throw WeirError(dataset.path, "no document has a member \(name)", remedy: "name one that `weir peek \(dataset.path)` shows")
    }
    // In the order of their names, which does not depend on that of the documents.
    let names = known.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    var position = [UInt32](repeating: 0, count: names.count)
    for (index, name) in names.enumerated() { position[Int(known[name] ?? 0)] = UInt32(index) }
    return Assigned(names: names, numbers: numbers.map { position[Int($0)] }, isByWindow: false)
  }
}

extension TokenDataset.DocumentInfo {
  /// The value of a member of the document, or of an object in it, as text; nil if it is missing or null.
  func member(_ path: [String]) throws -> String? {
    guard !members.isEmpty else { return nil }
    let text = [0x7B] + members + [0x7D]
    var node = try JSONDocument(text, place: origin).root
    for name in path {
      guard let next = node[name] else { return nil }
      node = next
    }
    return node.isNull ? nil : node.summary(200)
  }
}
