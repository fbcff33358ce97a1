/**
 * One source per language. The definition that the tests look for begins with the line that holds «begin» and ends
 * with the one that holds «end»; something of the language stands before and behind it, without a blank line between.
 */
export const syntaxSources: Readonly<Record<string, string>> = {
  'a.ts': `import { rows } from './rows.ts';
export const first = (n: number) => {
  return n + 1;
  return n + 1;
  return n + 1;
  return n + 1;
};
/** Evicts rows. «begin»
 * All of them.
 */
export async function evict(count: number): Promise<number> {
  let evicted = 0;
  for (const row of rows) {
    if (evicted >= count) break;
    await row.evict();
    evicted++;
  }
  console.log(evicted);
  return evicted;
} // «end»
export interface Last {
  readonly name0: string;
  readonly name1: string;
  readonly name2: string;
  readonly name3: string;
  readonly name4: string;
  readonly count: number;
}
`,
  'a.tsx': `import { useState } from 'react';
function First() {
  return <p>first</p>;
  return <p>first</p>;
  return <p>first</p>;
  return <p>first</p>;
}
// A list. «begin»
// Of rows.
export function RowList({ rows }: Props) {
  const [open, setOpen] = useState(false);
  const toggle = () => setOpen(!open);
  return (
    <ul onClick={toggle}>
      {rows.map((row) => (
        <li key={row.id}>{row.name}</li>
      ))}
    </ul>
  );
} // «end»
function Last() {
  return <p>last</p>;
  return <p>last</p>;
  return <p>last</p>;
  return <p>last</p>;
}
`,
  'a.js': `'use strict';
class Store {
  first() {
    return 1;
    return 1;
    return 1;
    return 1;
  }
  /**  «begin»
   * Evicts rows.
   */
  evict(count) {
    let evicted = 0;
    while (evicted < count) {
      this.rows.pop();
      evicted++;
    }
    this.count -= evicted;
    return evicted;
  } // «end»
  last() {
    return 3;
    return 3;
    return 3;
    return 3;
  }
}
`,
  'a.py': `import rows
def first():
    return 1
    return 1
    return 1
    return 1
# Evicts rows. «begin»
@cached
@retry(times=3)
async def evict(count):
    """All of them."""
    evicted = 0
    for row in rows:
        if evicted >= count:
            break
        await row.evict()
        evicted += 1
    print(evicted)
    return evicted  # «end»
def last():
    return 3
    return 3
    return 3
    return 3
`,
  'a.java': `package rows;
class Store {
    int first() {
        return 1;
        return 1;
        return 1;
        return 1;
    }
    /** Evicts rows. «begin»
     * All of them. */
    @Override
    @Deprecated
    public int evict(int count) {
        int evicted = 0;
        while (evicted < count) {
            rows.remove(0);
            evicted++;
        }
        return evicted;
    } // «end»
    int last() {
        return 3;
        return 3;
        return 3;
        return 3;
    }
}
`,
  'a.c': `#include <stdio.h>
static int first(void) {
    return 1;
    return 1;
    return 1;
    return 1;
}
/* Evicts rows. «begin»
 * All of them. */
static int evict(struct rows *rows, int count)
{
    int evicted = 0;
    while (evicted < count) {
        rows_pop(rows);
        evicted++;
    }
    printf("%d\\n", evicted);
    return evicted;
} // «end»
int last(void) {
    return 3;
    return 3;
    return 3;
    return 3;
}
`,
  'a.cpp': `#include <vector>
namespace rows {
int first() {
  return 1;
  return 1;
  return 1;
  return 1;
}
// Evicts rows. «begin»
template <typename Row>
int evict(std::vector<Row>& rows, int count) {
  int evicted = 0;
  while (evicted < count) {
    rows.pop_back();
    evicted++;
  }
  log(evicted);
  count -= evicted;
  return evicted;
} // «end»
int last() {
  return 3;
  return 3;
  return 3;
  return 3;
}
}
`,
  'a.cs': `namespace Rows;
class Store
{
    int First0() => 1;
    int First1() => 1;
    int First2() => 1;
    int First3() => 1;
    int First4() => 1;
    /// <summary>Evicts rows.</summary> «begin»
    [Obsolete]
    public int Evict(int count)
    {
        var evicted = 0;
        while (evicted < count)
        {
            rows.Pop();
            evicted++;
        }
        Log(evicted);
        return evicted;
    } // «end»
    int Last0() => 3;
    int Last1() => 3;
    int Last2() => 3;
    int Last3() => 3;
    int Last4() => 3;
}
`,
  'a.go': `package rows
func first() int {
	return 1
	return 1
	return 1
	return 1
}
// Evict evicts rows. «begin»
// All of them.
func (s *Store) Evict(count int) (int, error) {
	evicted := 0
	for _, row := range s.rows {
		if evicted >= count {
			break
		}
		row.Evict()
		evicted++
	}
	return evicted, nil
} // «end»
func last() int {
	return 3
	return 3
	return 3
	return 3
}
`,
  'a.rs': `use std::fmt;
fn first() -> i32 {
    step();
    step();
    step();
    step();
    1
}
/// Evicts rows. «begin»
#[must_use]
#[inline]
pub fn evict(rows: &mut Vec<Row>, count: usize) -> usize {
    let mut evicted = 0;
    while evicted < count {
        rows.pop();
        evicted += 1;
    }
    println!("{evicted}");
    evicted
} // «end»
fn last() -> i32 {
    step();
    step();
    step();
    step();
    3
}
`,
  'a.rb': `class Store
  def first
    step();
    step();
    step();
    step();
    1
  end
  # Evicts rows. «begin»
  # All of them.
  def evict(count)
    evicted = 0
    @rows.each do |row|
      break if evicted >= count
      row.evict
      evicted += 1
    end
    puts evicted
    @count -= evicted
    evicted
  end # «end»
  def last
    step();
    step();
    step();
    step();
    3
  end
end
`,
  'a.php': `<?php
class Store {
    function first() {
        return 1;
        return 1;
        return 1;
        return 1;
    }
    /** Evicts rows. «begin»
     * All of them.
     */
    #[Pure]
    public function evict(int $count): int {
        $evicted = 0;
        while ($evicted < $count) {
            array_pop($this->rows);
            $evicted++;
        }
        return $evicted;
    } // «end»
    function last() {
        return 3;
        return 3;
        return 3;
        return 3;
    }
}
`,
  'a.css': `.first {
  color: red;
  color: red;
  color: red;
  color: red;
}
/* Rows. «begin»
   All of them. */
.rows > li:not(.evicted),
.rows > dt {
  color: blue;
  display: grid;
  gap: 1em;
  margin: 0;
  padding: 0;
  border: 0;
  font: inherit;
} /* «end» */
.last {
  color: red;
  color: red;
  color: red;
  color: red;
}
`,
  'a.sh': `#!/bin/bash
first() {
  echo 1
  echo 1
  echo 1
  echo 1
}
# Evicts rows. «begin»
# All of them.
evict() {
  local evicted=0
  for row in "$@"; do
    if [ -e "$row" ]; then
      rm "$row"
    fi
    evicted=$((evicted + 1))
  done
  echo "$evicted"
} # «end»
last() {
  echo 3
  echo 3
  echo 3
  echo 3
}
`,
};
