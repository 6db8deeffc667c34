import Primitives
import Storage

extension Mixture: Artifact {
  package static func open(_ path: String) throws -> Mixture { try read(from: path) }

  /// Clusters are numbered, shares and counts are not negative, the weights are a distribution, and the epochs follow from them.
  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    var problems = ProblemList(context)
    let mixture = try JSONFile.readSealed(Mixture.self, from: path)
    let found = mixture.problems
    for problem in found.isEmpty ? mixture.contradictions : found { problems.add("\(path): \(problem)") }
    problems.finish(path, "problems")
  }

  /// The inputs, and the clusters by weight.
  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let mixture = try JSONFile.read(Mixture.self, from: path)
    let n = Format.count, significant = Format.significant
    var facts = TextTable()
    facts.add("method", Format.clip(mixture.method, 40))
    facts.add("from dataset", Format.clip(mixture.dataset, 60))
    facts.add("from tree", Format.clip(mixture.tree, 60))
    facts.add("from assignment", Format.clip(mixture.assignment, 60))
    facts.add("seed data", Format.clip(mixture.seedData, 100))
    facts.add("depth", "\(mixture.depth), smoothing \(significant(mixture.smoothing))")
    facts.add(
      "epochs",
      "at most \(mixture.maxEpochs.map(significant) ?? "any number") in \(n(mixture.runTokens)) tokens; the cap moved "
        + significant(mixture.moved))
    facts.add("clusters", "\(n(mixture.clusters.count)), effective sample size \(significant(mixture.effectiveSampleSize)) windows")
    var table = TextTable(["leaf", "weight", "general", "ratio", "windows", "tokens", "epochs"], right: [0, 1, 2, 3, 4, 5, 6])
    for cluster in mixture.clusters.sorted(by: { ($1.weight, $0.leaf) < ($0.weight, $1.leaf) }).prefix(lines) {
      let ratio = cluster.general > 0 ? significant(cluster.weight / cluster.general) : ""
      table.add(
        "\(cluster.leaf)", significant(cluster.weight), significant(cluster.general), ratio, n(cluster.windows), n(cluster.tokens),
        significant(cluster.epochs))
    }
    return [kind] + facts.lines + [""] + table.lines + Format.more(mixture.clusters.count - lines, "clusters")
  }
}
