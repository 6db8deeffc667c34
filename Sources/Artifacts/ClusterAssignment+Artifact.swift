import Primitives
import Storage

extension ClusterAssignment: Artifact {
  package static let form = ArtifactForm.folder
  package static func open(_ path: String) throws -> ClusterAssignment { try ClusterAssignment(folder: path) }

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let assignment = try ClusterAssignment(folder: path)
    var counts = [Int](repeating: 0, count: assignment.leafCount)
    for leaf in assignment.leaves { counts[Int(leaf)] += 1 }
    let order = counts.indices.sorted { (-counts[$0], $0) < (-counts[$1], $1) }
    var table = TextTable(["leaf", "windows", "share"], right: [0, 1, 2])
    for leaf in order.prefix(lines) {
      let share = Double(counts[leaf]) / Double(max(1, assignment.leaves.count))
      table.add("\(leaf)", Format.count(counts[leaf]), Format.significant(share))
    }
    let empty = counts.reduce(0) { $0 + ($1 == 0 ? 1 : 0) }
    return [kind] + (try Manifest.read(folder: path).facts) + ["", "\(empty) leaves are empty; the largest:"] + table.lines
      + Format.more(counts.count - lines, "leaves")
  }
}
