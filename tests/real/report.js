// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Test results as tools/lib.sh prints and reads them.
'use strict';

class Report {
    constructor() {
        this.passed = 0;
        this.failed = 0;
    }

    // body may be async; it fails by throwing.
    async check(name, body) {
        try {
            await body();
            this.passed++;
            console.log(`ok    ${name}`);
        } catch (error) {
            this.failed++;
            console.log(`FAIL  ${name}: ${error.message.split('\n')[0].trim()}`);
            console.log(error.stack.replace(/^/gm, '      '));
        }
    }

    summary() {
        console.log(`${this.passed} passed, ${this.failed} failed, 0 skipped`);
        process.exitCode = this.failed === 0 && this.passed > 0 ? 0 : 1;
    }
}

module.exports = { Report };
