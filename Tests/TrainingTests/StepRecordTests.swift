import Storage
import TestSupport
import Testing
import Training

@Suite struct StepRecordTests {
  private func record(loss: Double, divergence: Double? = nil, skipped: LossGuard.Rejection? = nil) throws -> StepRecord {
    let line = #"{"step": 3, "tokens": 96, "loss": 0, "lr": 0.001, "grad_norm": 0.5, "seconds": 0.123456, "tokens_per_second": 259.2}"#
    var record = try JSONFile.decode(StepRecord.self, from: Array(line.utf8), place: "line")
    (record.loss, record.divergence, record.skipped) = (loss, divergence, skipped)
    return record
  }

  @Test func linesHaveAFixedFormat() throws {
    #expect(
      try record(loss: 5.25, divergence: 0.5).line
        == #"{"step": 3, "tokens": 96, "loss": 5.25, "lr": 0.001, "grad_norm": 0.5, "divergence": 0.5, "seconds": 0.1235, "tokens_per_second": 259.2}"#
    )
    #expect(try record(loss: .nan, skipped: .nan).line.contains(#""loss": null"#))
    #expect(try record(loss: .nan, skipped: .nan).line.contains(#""skipped": "nan""#))
  }

  @Test func logsReadBack() throws {
    try withTemporaryFolder { folder in
      let path = RunFolder(folder).log
      // "no number" stands in logs of earlier versions.
      let old = try record(loss: .infinity, skipped: .nan).line.replacing("\"nan\"", with: "\"no number\"")
      let rollback = #"{"event":"rollback","from":3,"reason":"r","step":2,"to":2}"#
      try Files.write(Array([try record(loss: 5.25).line, old, rollback].map { $0 + "\n" }.joined().utf8), to: path)
      let steps = try StepRecord.read(path)
      #expect(steps.map(\.step) == [3, 3])
      #expect(steps[0].loss == 5.25 && steps[0].skipped == nil)
      #expect(steps[1].loss.isNaN && steps[1].skipped == .nan)
      let last = try JSONFile.decode(RollbackRecord.self, from: Array(rollback.utf8), place: "line")
      #expect(try LogEntry.read(path).last == .rollback(last) && last.step == 2 && last.from == 3 && last.to == 2)
    }
  }
}
