@echo off
rem SPDX-License-Identifier: LGPL-2.1-or-later
rem Runs both conformance programs on this Windows and joins what they observed into windows-baseline.tsv.
setlocal
cd /d "%~dp0"
echo Running the 64-bit program ...
conformance-x86_64.exe --output windows-x86_64.tsv
echo Running the 32-bit program ...
conformance-i386.exe --output windows-i386.tsv
for /f "delims=" %%v in ('ver') do echo # %%v> windows-baseline.tsv
if exist windows-x86_64.tsv type windows-x86_64.tsv >> windows-baseline.tsv
if exist windows-i386.tsv type windows-i386.tsv >> windows-baseline.tsv
if not exist windows-baseline.tsv exit /b 1
echo.
echo Done. Please send back the file windows-baseline.tsv.
