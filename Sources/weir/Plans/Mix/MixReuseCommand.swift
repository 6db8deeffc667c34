import ArgumentParser
import Planning
import Primitives
import Storage
import Workflows

/// `weir plan mix reuse`.
struct MixReuseCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "reuse",
    abstract: "Keep the runs of a swarm when its domains change.",
    discussion: """
      Runs that used a removed domain are left out. A divided domain's weight is shared by its parts in proportion to their \
      tokens, as the runs drew them. A new domain has the weight 0 in all of them. Measure some more mixtures that vary what \
      is new, and fit them together.

      EXAMPLES:
        weir plan mix reuse --ratios ratios.csv --remove forum \\
          --divide web=news:3,blogs:1 --add code -o new-ratios.csv
      """)

  @Option(help: ArgumentHelp("Weights of the runs' mixtures (CSV).", valueName: "file"))
  var ratios: String

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Domains that no longer exist.", valueName: "name"))
  var remove: [String] = []

  @Option(
    parsing: .upToNextOption, help: ArgumentHelp("Domains with their parts and the parts' tokens: old=new:3,other:1.", valueName: "parts"))
  var divide: [String] = []

  @Option(parsing: .upToNextOption, help: ArgumentHelp("New domains.", valueName: "name"))
  var add: [String] = []

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output file (CSV).", valueName: "file"))
  var output: String

  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags { ["domains": ratios] }
  var inputs: [String] { [ratios] }
  var outputs: [String] { [output] }

  func validate() throws { _ = try divided() }

  private func divided() throws -> [String: [(name: String, share: Double)]] {
    var result: [String: [(name: String, share: Double)]] = [:]
    for text in divide {
      let sides = text.split(separator: "=", maxSplits: 1).map(String.init)
      let parts = sides.count == 2 ? sides[1].split(separator: ",").map(String.init) : []
      let shares = parts.compactMap { part -> (name: String, share: Double)? in
        guard let colon = part.lastIndex(of: ":"), let share = Double(part[part.index(after: colon)...]), share >= 0 else { return nil }
        return (String(part[..<colon]), share)
      }
      guard !parts.isEmpty, shares.count == parts.count else { throw ValidationError("--divide: '\(text)' is not like old=new:3,other:1") }
      guard result.updateValue(shares, forKey: sides[0]) == nil else { throw ValidationError("--divide names \(sides[0]) twice") }
    }
    return result
  }

  func perform(_ session: Session) throws -> Outcome {
    let (runs, notes) = try MixtureReuse.apply(MixtureRuns(ratios: ratios), removed: remove, divided: divided(), added: add)
    try Files.writeOutput(Array(runs.ratios().utf8), to: output)
    return Outcome(
      report: .object(["runs": .number(Double(runs.names.count)), "domains": .array(runs.domains.map { .string($0) })]),
      lines: ["  \(runs.names.count) runs of \(runs.domains.count) domains"] + notes.map { "  note: \($0)" })
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(disk: 1e5) }
}
