import ArgumentParser
import Documents
import Inspection
import Primitives
import Storage
import Workflows

/// `weir verify PATH`: checks every checksum and invariant.
struct VerifyCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check every checksum and invariant of Weir files and folders.",
    discussion: """
      Writes one line per problem and exits with 1 if there is any. s3:// addresses are downloaded into the cache of weir \
      read.

      EXAMPLES:
        weir verify out/dataset out/tree
        weir verify s3://bucket/export
      """)

  @Argument(help: ArgumentHelp("Datasets, trees, mixtures, models, runs, streams or JSON Lines.", valueName: "path"))
  var paths: [String]

  @OptionGroup var common: CommonOptions

  var inputs: [String] { paths }

  func perform(_ session: Session) throws -> Outcome {
    let reports = try session.with("verify") { progress in
      try paths.map { path in
        try ObjectCopy.with(path) { path, named in
          var report = try Verification.check(path, registry: .all, progress: progress)
          (report.path, report.problems, report.notes) = (named(report.path), report.problems.map(named), report.notes.map(named))
          return report
        }
      }
    }
    var lines: [String] = []
    for report in reports {
      lines.append(
        "  \(report.path): \(report.kind), \(report.files) files, \(Format.bytes(report.bytes)), \(report.problems.isEmpty ? "valid" : "\(report.problems.count) problems")"
      )
      for problem in report.problems { Terminal.write("weir: \(problem)\n") }
      lines += report.notes.map { "    note: \($0)" }
    }
    let outcome = Outcome(report: try JSONValue(encoding: reports), lines: lines)
    if reports.contains(where: { !$0.problems.isEmpty }) {
      try outcome.render(session, json: common.json)
      throw ExitCode(1)
    }
    return outcome
  }
}
